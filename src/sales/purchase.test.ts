import { afterEach, describe, expect, it } from "vitest";
import { Refusal } from "../protocol/refusal.ts";
import {
  addressIn,
  type BookedSale,
  type Buyer,
  createWorld,
  DAY,
  dayPrice,
  imbalances,
  reasonOf,
  type World,
  type WorldOptions,
} from "../testing/sales-world.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";

let world: World;
afterEach(async () => {
  expect(imbalances(world)).toEqual([]);
  await world.close();
});

async function inWorld(options: WorldOptions = {}): Promise<void> {
  world = await createWorld(options);
}

function sales(): BookedSale[] {
  return world.all<BookedSale>("SELECT * FROM sales ORDER BY rowid");
}

function buyers(count: number): Buyer[] {
  return Array.from({ length: count }, () => world.buyer());
}

const nothingAsked = { prepareSwap: 0, renewSwap: 0, swap: 0, restore: 0, inputState: 0 };

describe("a purchase", () => {
  it("of one unit is a tunnel for one unit", async () => {
    await inWorld();
    const buyer = world.buyer();
    const answer = await world.buy(buyer, world.mint.issue([64, 32, 4]));
    expect(answer.expiresAt).toBe(world.time.seconds + DAY);
    expect(await world.peerAt(addressIn(answer))).toBe(buyer.publicKey);
    expect(sales()).toMatchObject([{ state: "granted", received_sat: 100, fee_sat: 0 }]);
  });

  it("of more gets proportionally more, counted on the face amount", async () => {
    await inWorld();
    world.mint.setFeeSat(3);
    const { expiresAt } = await world.buy(world.buyer(), world.mint.issue([100, 50, 1]));
    expect(expiresAt).toBe(world.time.seconds + Math.floor(1.51 * DAY));
    expect(sales()).toMatchObject([{ face_sat: 151, fee_sat: 3, received_sat: 148 }]);
  });

  it("of data is data with an end of its own", async () => {
    const price = { amount: 10, currency: "sat", unit: "GiB" } as const;
    await inWorld({ prices: [price] });
    const buyer = world.buyer();
    const odd = { authorization: world.authorization(buyer, price) };
    const answer = await world.buy(buyer, world.mint.issue([20]), odd);
    expect(answer.config).toContain(`Quota: ${2 * 2 ** 30} bytes left`);
    expect(answer.expiresAt).toBe(world.time.seconds + 30 * DAY);
  });

  it("without a token is told what to send, as a payment request", async () => {
    await inWorld({ minPurchase: { amount: 2, unit: "day" } });
    const error = await world.buy(world.buyer(), undefined).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: "payment-required", paymentRequest: "creqA-200" });
  });

  it("accepts what its own payment request asks for, also below one unit", async () => {
    await inWorld({ minPurchase: { amount: 6, unit: "hour" } });
    const error = await world.buy(world.buyer(), undefined).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ paymentRequest: "creqA-25" });
    const { expiresAt } = await world.buy(world.buyer(), world.mint.issue([25]));
    expect(expiresAt).toBe(world.time.seconds + DAY / 4);
    expect(await reasonOf(world.buy(world.buyer(), world.mint.issue([24])))).toBe("amount-mismatch");
  });

  it("counts strangers, not those who have a tunnel or a claim", async () => {
    await inWorld();
    const buyer = world.buyer();
    let counted = 0;
    const odd = { countStranger: () => void counted++ };
    const token = world.mint.issue([100]);
    await world.buy(buyer, token, odd);
    expect(counted).toBe(1);
    await world.buy(buyer, token, odd);
    await world.buy(buyer, world.mint.issue([100]), odd);
    await reasonOf(world.buy(buyer, undefined, odd));
    expect(counted).toBe(1);
    await reasonOf(world.buy(world.buyer(), undefined, odd));
    expect(counted).toBe(2);
  });
});

describe("many at once", () => {
  it("50 times the same purchase is one swap and 50 equal answers", async () => {
    await inWorld({ places: 8, queue: 4 });
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.buy(buyer, token)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(world.mint.calls).toMatchObject({ prepareSwap: 1, swap: 1 });
    expect(sales()).toHaveLength(1);
  });

  it("50 times the same purchase when one address is left", async () => {
    await inWorld({ subnet: "10.9.0.0/30" });
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.buy(buyer, token)));
    expect(new Set(answers.map(addressIn)).size).toBe(1);
  });

  it("50 tokens for 13 addresses: 13 tunnels, 37 refused before anything was prepared or sent", async () => {
    await inWorld({ subnet: "10.9.0.0/28" });
    const tokens = Array.from({ length: 50 }, () => world.mint.issue([64, 32, 4]));
    const outcomes = await Promise.all(
      buyers(50).map(async (buyer, index) => {
        const token = tokens[index] as string;
        return { token, outcome: await reasonOf(world.buy(buyer, token)) };
      }),
    );
    const refused = outcomes.filter(({ outcome }) => outcome === "no-ip-available");
    expect(refused).toHaveLength(37);
    expect(outcomes.filter(({ outcome }) => outcome === "served")).toHaveLength(13);
    expect(refused.flatMap(({ token }) => world.mint.statesOf(token))).toEqual(Array(111).fill("UNSPENT"));
    expect(world.mint.calls).toMatchObject({ prepareSwap: 13, swap: 13 });
    const held = world.all<{ assigned_ip: string }>("SELECT assigned_ip FROM sessions");
    expect(new Set(held.map((row) => row.assigned_ip)).size).toBe(13);
  });

  it("50 tokens of one key are one session with all the time", async () => {
    await inWorld({ subnet: "10.9.0.0/30" });
    const buyer = world.buyer();
    const tokens = Array.from({ length: 50 }, () => world.mint.issue([100]));
    const answers = await Promise.all(tokens.map((token) => world.buy(buyer, token)));
    expect(new Set(answers.map(addressIn)).size).toBe(1);
    expect(Math.max(...answers.map(({ expiresAt }) => expiresAt ?? 0))).toBe(world.time.seconds + 50 * DAY);
    expect(world.all("SELECT * FROM sessions")).toHaveLength(1);
  });

  it("overlapping tokens: one of them pays, no proof counts twice", async () => {
    await inWorld();
    const token = world.mint.issue([100, 100, 100]);
    const parts = [0, 1].map((from) => world.mint.mix([{ of: token, from, to: from + 2 }]));
    const outcomes = await Promise.all(parts.map((part) => reasonOf(world.buy(world.buyer(), part))));
    expect(outcomes.sort()).toEqual(["double-spent", "served"]);
  });

  it("swaps at one mint are bounded, the rest wait or are told to come again", async () => {
    await inWorld({ places: 1, queue: 1, answerWithinMs: 400 });
    world.mint.script("swap", "stall");
    const tokens = [1, 2, 3].map(() => world.mint.issue([100]));
    const outcomes = await Promise.all(tokens.map((token) => reasonOf(world.buy(world.buyer(), token))));
    expect(outcomes).toEqual(Array(3).fill("mint-unreachable"));
    expect(world.mint.calls).toMatchObject({ prepareSwap: 1, swap: 1 });
    expect(world.mint.statesOf(tokens[2] as string)).toEqual(["UNSPENT"]);
    world.mint.unstall();
    await world.run.settlement.idle();
    await world.buy(world.buyer(), tokens[2] as string);
    await world.buy(world.buyer(), tokens[1] as string);
    expect(sales().map((sale) => sale.state)).toEqual(["granted", "granted", "granted"]);
  });

  it("the same token of two keys at once: one tunnel", async () => {
    await inWorld();
    const token = world.mint.issue([100]);
    const outcomes = await Promise.all(buyers(2).map((buyer) => reasonOf(world.buy(buyer, token))));
    expect(outcomes.sort()).toEqual(["double-spent", "served"]);
    expect(world.mint.calls).toMatchObject({ prepareSwap: 1, swap: 1 });
  });
});

describe("an answer", () => {
  it("comes in time though the mint stalls, and the swap goes on behind it", async () => {
    await inWorld({ answerWithinMs: 400 });
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    world.mint.script("swap", "stall");
    const startedMs = performance.now();
    expect(await reasonOf(world.buy(buyer, token))).toBe("mint-unreachable");
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    world.mint.unstall();
    await world.run.settlement.idle();
    expect(sales()).toMatchObject([{ state: "granted" }]);
    await world.buy(buyer, token);
    expect(world.mint.calls.swap).toBe(1);
  });

  it("that the token was not touched stays true when the preparing ends late", async () => {
    await inWorld({ answerWithinMs: 100 });
    const token = world.mint.issue([100]);
    world.mint.script("prepareSwap", "stall");
    const error = await world.buy(world.buyer(), token).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: "mint-unreachable", message: /not touched/ });
    world.mint.unstall();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sales()).toEqual([]);
    expect(world.mint.calls.swap).toBe(0);
  });

  it("is given to nobody who hung up, and the sale is made all the same", async () => {
    await inWorld();
    const buyer = world.buyer();
    const unheard = world.buy(buyer, world.mint.issue([100]));
    await expect.poll(() => sales().map((sale) => sale.state)).toEqual(["granted"]);
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
    await unheard;
  });
});

describe("a renewal", () => {
  it("adds its time to the same address, the tunnel stays up", async () => {
    await inWorld();
    const buyer = world.buyer();
    const first = await world.buy(buyer, world.mint.issue([100]));
    world.pass(DAY / 2);
    const second = await world.buy(buyer, world.mint.issue([200]));
    expect(addressIn(second)).toBe(addressIn(first));
    expect(second.expiresAt).toBe((first.expiresAt ?? 0) + 2 * DAY);
  });

  it("goes through when the pool is full, and when new sessions are not sold", async () => {
    await inWorld({ subnet: "10.9.0.0/30" });
    const buyer = world.buyer();
    await world.buy(buyer, world.mint.issue([100]));
    expect(await reasonOf(world.buy(world.buyer(), world.mint.issue([100])))).toBe("no-ip-available");
    world.settings.closed = "sales are paused";
    expect(await reasonOf(world.buy(world.buyer(), world.mint.issue([100])))).toBe("tunnel-unavailable");
    const { expiresAt } = await world.buy(buyer, world.mint.issue([100]));
    expect(expiresAt).toBe(world.time.seconds + 2 * DAY);
  });

  it("less than five minutes after the end has the old address, from now on", async () => {
    await inWorld({ subnet: "10.9.0.0/30" });
    const buyer = world.buyer();
    const first = await world.buy(buyer, world.mint.issue([100]));
    await world.sweep(DAY);
    expect(await world.peerKeys()).toEqual([]);
    await world.sweep(299);
    const second = await world.buy(buyer, world.mint.issue([100]));
    expect(addressIn(second)).toBe(addressIn(first));
    expect(second.expiresAt).toBe(world.time.seconds + DAY);
  });
});

describe("a price", () => {
  it("is honoured for the grace time after it changed, and not longer", async () => {
    await inWorld();
    const tokens = [world.mint.issue([100]), world.mint.issue([100])];
    world.settings.prices = [{ amount: 500, currency: "sat", unit: "day" }];
    await world.restart();
    world.pass(3599);
    const { expiresAt } = await world.buy(world.buyer(), tokens[0]);
    expect(expiresAt).toBe(world.time.seconds + DAY);
    world.pass(1);
    expect(await reasonOf(world.buy(world.buyer(), tokens[1]))).toBe("price-mismatch");
  });
});

describe("a refusal comes before anything is prepared or sent", () => {
  interface Case {
    reason: string;
    options?: WorldOptions;
    token?: () => string;
    request?: (buyer: Buyer) => object;
    setUp?: () => void | Promise<void>;
  }
  const signedFor = (change: (tags: string[][]) => string[][]) => (buyer: Buyer) => ({
    authorization: world.authorization(buyer, dayPrice, change),
  });
  const without = (name: string) => signedFor((tags) => tags.filter((tag) => tag[0] !== name));
  const instead = (name: string, ...values: string[]) =>
    signedFor((tags) => tags.map((tag) => (tag[0] === name ? [name, ...values] : tag)));

  const cases: Case[] = [
    { reason: "bad-request", request: () => ({ authorization: undefined }) },
    { reason: "wrong-action", request: instead("t", "other") },
    { reason: "no-expiration", request: without("expiration") },
    { reason: "expired-auth", request: instead("expiration", "1") },
    { reason: "wrong-server", request: instead("server", "other.test") },
    { reason: "no-listing", request: without("a") },
    { reason: "unknown-listing", request: instead("a", "30402:00:other") },
    { reason: "no-price", request: without("price") },
    { reason: "price-mismatch", request: instead("price", "99", "sat", "day") },
    {
      reason: "price-mismatch",
      options: { prices: [dayPrice, { amount: 1, currency: "EUR", unit: "day" }] },
      request: instead("price", "1", "EUR", "day"),
    },
    { reason: "unsupported-protocol", request: () => ({ protocol: "openvpn" }) },
    { reason: "unsupported-protocol", request: () => ({ protocol: undefined }) },
    { reason: "no-client-pubkey", request: () => ({ clientPubkey: undefined }) },
    { reason: "bad-request", request: () => ({ clientPubkey: "short" }) },
    { reason: "bad-request", request: () => ({ clientPubkey: `${"A".repeat(43)}=` }) },
    { reason: "invalid-token", token: () => "cashuBnonsense" },
    { reason: "invalid-token", token: () => world.mint.issue([100], { unit: "usd" }) },
    { reason: "wrong-mint", token: () => world.mint.issue([100], { mint: "https://other.test" }) },
    { reason: "wrong-p2pk", token: () => world.mint.issue([100], { locked: false }) },
    { reason: "amount-mismatch", token: () => world.mint.issue([99]) },
    { reason: "below-min-purchase", options: { minPurchase: { amount: 2, unit: "day" } } },
    {
      reason: "above-max-purchase",
      options: { maxPurchase: { amount: 2, unit: "day" } },
      token: () => world.mint.issue([201]),
    },
    { reason: "mint-unreachable", setUp: () => world.mint.setReachable(false) },
    {
      reason: "tunnel-unavailable",
      setUp: async () => {
        world.wireguard.takeDown();
        await world.run.keeper.tick();
      },
    },
    {
      reason: "tunnel-unavailable",
      setUp: () => {
        world.settings.closed = "sales are paused";
      },
    },
    {
      reason: "cashu-not-configured",
      setUp: async () => {
        world.settings.cashu = "cashu-not-configured";
        await world.restart();
      },
    },
    {
      reason: "no-cashu-in-listing",
      setUp: async () => {
        world.settings.cashu = "no-cashu-in-listing";
        await world.restart();
      },
    },
    {
      reason: "rate-limited",
      request: () => ({
        countStranger: () => {
          throw new Refusal("rate-limited", "too often");
        },
      }),
    },
  ];

  it.each(cases)("$reason", async ({ reason, options, token, request, setUp }) => {
    await inWorld(options);
    await setUp?.();
    const buyer = world.buyer();
    const paid = token?.() ?? world.mint.issue([100]);
    expect(await reasonOf(world.buy(buyer, paid, request?.(buyer) ?? {}))).toBe(reason);
    expect(world.mint.calls).toEqual(nothingAsked);
    expect(sales()).toEqual([]);
    expect(world.all("SELECT * FROM sessions")).toEqual([]);
  });

  it("policy: a key that the operator put on the interface himself", async () => {
    await inWorld();
    const buyer = { ...world.buyer(), publicKey: generateWireguardKeys().publicKey };
    await world.wireguard.apply({
      set: [{ publicKey: buyer.publicKey, addresses: ["10.9.0.9"] }],
      remove: [],
    });
    await world.run.keeper.tick();
    expect(await reasonOf(world.buy(buyer, world.mint.issue([100])))).toBe("policy");
    expect(world.mint.calls).toEqual(nothingAsked);
  });

  it.each(["invalid-token", "mint-unreachable"] as const)("%s: what the preparing finds", async (fault) => {
    await inWorld();
    const token = world.mint.issue([100]);
    world.mint.script("prepareSwap", fault);
    expect(await reasonOf(world.buy(world.buyer(), token))).toBe(fault);
    expect(world.mint.calls.swap).toBe(0);
    expect(sales()).toEqual([]);
    await world.buy(world.buyer(), token);
  });

  it("tunnel-unavailable: the interface goes while the swap is being prepared", async () => {
    await inWorld();
    const token = world.mint.issue([100]);
    world.mint.script("prepareSwap", "stall");
    const buying = reasonOf(world.buy(world.buyer(), token));
    await expect.poll(() => world.mint.calls.prepareSwap).toBe(1);
    world.wireguard.takeDown();
    await world.run.keeper.tick();
    world.mint.unstall();
    expect(await buying).toBe("tunnel-unavailable");
    expect(sales()).toEqual([]);
    expect(world.mint.calls.swap).toBe(0);
  });

  it("tunnel-unavailable: the book cannot be written", async () => {
    await inWorld();
    const buyer = world.buyer();
    await world.buy(buyer, world.mint.issue([100]));
    world.run.book.pragma("query_only = ON");
    const token = world.mint.issue([100]);
    expect(await reasonOf(world.buy(buyer, token))).toBe("tunnel-unavailable");
    expect(world.mint.statesOf(token)).toEqual(["UNSPENT"]);
    world.run.book.pragma("query_only = OFF");
    await world.buy(buyer, token);
  });

  it("tunnel-unavailable: a move to another key cannot be written", async () => {
    await inWorld();
    const [buyer, token] = [world.buyer(), world.mint.issue([100])];
    await world.buy(buyer, token);
    const mover = { ...buyer, publicKey: world.buyer().publicKey };
    world.run.book.pragma("query_only = ON");
    expect(await reasonOf(world.buy(mover, token))).toBe("tunnel-unavailable");
    world.run.book.pragma("query_only = OFF");
    await world.buy(mover, token);
    expect(await world.peerKeys()).toEqual([mover.publicKey]);
  });
});
