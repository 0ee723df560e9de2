import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { decodePaymentRequest } from "@cashu/cashu-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventTemplate } from "../protocol/event.ts";
import { type Answer, type Buyer, createBuyer, type Order } from "../testing/buyer.ts";
import {
  encodeToken,
  lockedSecret,
  type MintedToken,
  type MintTokenOptions,
  mintToken,
  proofStates,
} from "../testing/ecash.ts";
import { type Gate, startGate } from "../testing/gate.ts";
import { startMint } from "../testing/mint.ts";
import { nutshellMissing, startNutshell } from "../testing/nutshell.ts";
import { createOperator, type Operator, type OperatorSettings } from "../testing/operator.ts";
import { freshClient, orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { openTunnelMarket, type TunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";
import { type ExpectedRefusal, expectNothingInternal, expectRefused } from "./expectations.ts";

const venv = process.env.EUROPA_TEST_NUTSHELL;
const nutshellSkip = nutshellMissing(venv, Boolean(process.env.CI));
const tunnelsSkip = await tunnelsMissing(Boolean(process.env.CI));

/** Each input costs the operator a sat: ten of one are too dear, one of ten is not. */
const FEE_PPK = 1000;
const DAY = { amount: 100, unit: "day" } as const;
const HOUR = { amount: 10, unit: "hour" } as const;

const normal = {
  prices: [HOUR, DAY],
  minPurchase: { amount: 2, unit: "hour" },
  maxPurchase: { amount: 2, unit: "day" },
  wireguard: "in-memory",
  subnet: "10.66.42.0/24",
  interfaceName: "wg0",
  cashuEnabled: true,
  more: `[[listing.prices]]\namount = 3\ncurrency = "usd"\nunit = "month"\n`,
} as const satisfies Partial<OperatorSettings>;

interface World {
  relay: TestRelay;
  gate: Gate;
  operator: Operator;
  /** The mint's own URL; the daemon and tokens know the gate's. */
  mintUrl: string;
  /** Another mint, which the operator does not accept. */
  otherMintUrl: string;
  /** A token that buys a day, as the end of each lane shows. */
  good: MintedToken;
  mint(options?: Partial<MintTokenOptions>): Promise<MintedToken>;
}

interface Case extends ExpectedRefusal {
  name: string;
  /** Left out: the good one. */
  token?: (world: World) => Promise<MintedToken> | MintedToken;
  order?: (world: World, token: string) => Partial<Order>;
}

function inHeader(reason: string, name: string, change: Partial<Order>): Case {
  return { status: 401, reason, name, order: () => change };
}

function withoutTag(name: string) {
  return (event: EventTemplate) => ({ ...event, tags: event.tags.filter(([tag]) => tag !== name) });
}

function withTag(name: string, ...values: string[]) {
  return (event: EventTemplate) => ({
    ...event,
    tags: event.tags.map((tag) => (tag[0] === name ? [name, ...values] : tag)),
  });
}

function inBody(reason: string, name: string, body: (token: string) => unknown): Case {
  return { status: 400, reason, name, order: (_world, token) => ({ body: body(token) }) };
}

function key(clientPubkey: unknown) {
  return { protocol: "wireguard", client_pubkey: clientPubkey };
}

const authorizationCases: Case[] = [
  inHeader("bad-request", "no Authorization header", { authorization: null }),
  inHeader("bad-request", "an Authorization header of another scheme", { authorization: "Bearer abc" }),
  inHeader("bad-request", "an Authorization header that is no base64", { authorization: "Nostr !!!" }),
  inHeader("bad-request", "an Authorization header that holds no event", { authorization: "Nostr e30=" }),
  inHeader("wrong-kind", "an event of another kind", { signInstead: (event) => ({ ...event, kind: 27235 }) }),
  inHeader("wrong-action", "another t", { signInstead: withTag("t", "upload") }),
  inHeader("no-expiration", "no expiration", { signInstead: withoutTag("expiration") }),
  inHeader("expired-auth", "an expiration that has passed", { expiresInSeconds: -1 }),
  inHeader("wrong-server", "another server", { signInstead: withTag("server", "other.example.com") }),
  inHeader("wrong-server", "no server", { signInstead: withoutTag("server") }),
  {
    status: 401,
    reason: "bad-signature",
    name: "a signature of another event",
    order: (world) => ({ authorization: tampered(world, (event) => ({ ...event, sig: "00".repeat(64) })) }),
  },
  {
    status: 401,
    reason: "bad-signature",
    name: "a price changed after signing",
    order: (world) => ({
      authorization: tampered(world, (event) => ({ ...event, tags: withTag("price", "1")(event).tags })),
    }),
  },
  {
    status: 400,
    reason: "no-listing",
    name: "no a tag",
    order: () => ({ signInstead: withoutTag("a") }),
  },
  {
    status: 400,
    reason: "unknown-listing",
    name: "another listing",
    order: () => ({ dTag: "another" }),
  },
  {
    status: 400,
    reason: "unknown-listing",
    name: "another operator's listing",
    order: () => ({ operatorPubkey: "ab".repeat(32) }),
  },
  { status: 400, reason: "no-price", name: "no price", order: () => ({ signInstead: withoutTag("price") }) },
  {
    status: 400,
    reason: "price-mismatch",
    name: "a price that is not on offer",
    order: () => ({ price: { ...DAY, amount: 99, currency: "sat" } }),
  },
  {
    status: 400,
    reason: "price-mismatch",
    name: "a tier that is not priced in sat",
    order: () => ({ price: { amount: 3, currency: "usd", unit: "month" } }),
  },
];

const bodyCases: Case[] = [
  inBody("bad-request", "a body that is no JSON", () => "{"),
  inBody("bad-request", "a body that is no object", () => []),
  inBody("bad-request", "a token that is no string", (token) => ({ ...key("x"), token: [token] })),
  inBody("bad-request", "another token in the body than in the header", (token) => ({
    ...key(generateWireguardKeys().publicKey),
    token: `${token}A`,
  })),
  inBody("bad-request", "a client_pubkey of 31 bytes", () => key(randomBytes(31).toString("base64"))),
  inBody("bad-request", "a client_pubkey in hex", () => key(randomBytes(32).toString("hex"))),
  inBody("bad-request", "a client_pubkey that is no string", () => key(7)),
  inBody("bad-request", "a client_pubkey of zeros", () => key(Buffer.alloc(32).toString("base64"))),
  inBody("no-client-pubkey", "no client_pubkey", () => ({ protocol: "wireguard" })),
  inBody("unsupported-protocol", "another protocol", () => ({
    protocol: "openvpn",
    client_pubkey: generateWireguardKeys().publicKey,
  })),
  inBody("unsupported-protocol", "no protocol", () => ({
    client_pubkey: generateWireguardKeys().publicKey,
  })),
  {
    status: 400,
    reason: "bad-request",
    name: "the server's own key",
    order: ({ operator }) => ({ body: key(operator.serverKeys.publicKey) }),
  },
  {
    status: 415,
    reason: "bad-request",
    name: "a body of another type",
    order: () => ({ headers: { "content-type": "application/x-www-form-urlencoded" } }),
  },
];

function badToken(name: string, token: NonNullable<Case["token"]>): Case {
  return { status: 402, reason: "invalid-token", name, token };
}

/** Another text about the good token's proofs, which it must not endanger. */
function retold(name: string, tell: (world: World) => string): Case {
  return badToken(name, (world) => ({ token: tell(world), proofs: world.good.proofs }));
}

const tokenCases: Case[] = [
  retold("a token that is none", () => "cashuBxyz"),
  retold("a token of an unknown version", ({ good }) => good.token.replace("cashuB", "cashuC")),
  retold("half a token", ({ good }) => good.token.slice(0, good.token.length / 2)),
  retold("the same proof twice", ({ good, gate }) =>
    encodeToken([...good.proofs, ...good.proofs.slice(0, 1)], gate.url),
  ),
  retold("a unit other than sat", ({ good, gate }) => encodeToken(good.proofs, gate.url, "cashuB", "usd")),
  retold("a keyset that the mint does not have", ({ good, gate }) =>
    encodeToken(
      good.proofs.map((proof) => ({ ...proof, id: `00${"1".repeat(14)}` })),
      gate.url,
      "cashuA",
    ),
  ),
  retold("a signature that is no point", ({ good, gate }) =>
    encodeToken(
      good.proofs.map((proof) => ({ ...proof, C: `02${"f".repeat(64)}` })),
      gate.url,
    ),
  ),
  {
    status: 402,
    reason: "wrong-mint",
    name: "a mint that is not accepted",
    token: ({ operator, otherMintUrl }) =>
      mintToken({ mintUrl: otherMintUrl, amountSat: 100, lock: { pubkey: operator.p2pk } }),
  },
  {
    status: 402,
    reason: "amount-mismatch",
    name: "less than one unit",
    token: (world) => world.mint({ amountSat: 9 }),
    order: () => ({ price: { ...HOUR, currency: "sat" } }),
  },
  {
    status: 402,
    reason: "amount-mismatch",
    name: "a fee that is not borne",
    token: (world) => world.mint({ amountSat: 20, denominations: Array.from({ length: 20 }, () => 1) }),
    order: () => ({ price: { ...HOUR, currency: "sat" } }),
  },
  {
    status: 400,
    reason: "below-min-purchase",
    name: "less than the least purchase",
    token: (world) => world.mint({ amountSat: 15 }),
    order: () => ({ price: { ...HOUR, currency: "sat" } }),
  },
  {
    status: 400,
    reason: "above-max-purchase",
    name: "more than the most purchase",
    token: (world) => world.mint({ amountSat: 201 }),
  },
];

type Lock = NonNullable<MintTokenOptions["lock"]>;

function wrongLock(name: string, lock: (ours: string) => Lock | undefined): Case {
  return {
    status: 402,
    reason: "wrong-p2pk",
    name,
    token: (world) => {
      const chosen = lock(world.operator.p2pk);
      return mintToken({
        mintUrl: world.gate.url,
        amountSat: 100,
        ...(chosen ? { lock: chosen } : {}),
      });
    },
  };
}

const stranger = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const soon = () => Math.floor(Date.now() / 1000) + 300;

const lockCases: Case[] = [
  wrongLock("no lock", () => undefined),
  wrongLock("a lock to another key", () => ({ pubkey: stranger })),
  wrongLock("a lock that two must sign", (ours) => ({ pubkey: ours, pubkeys: [stranger], nSigs: 2 })),
  wrongLock("a hash lock", (ours) => ({ pubkey: ours, hash: randomBytes(32).toString("hex") })),
  wrongLock("SIG_ALL", (ours) => ({ pubkey: ours, sigFlag: "SIG_ALL" })),
  wrongLock("a locktime that has passed", (ours) => ({
    pubkey: ours,
    locktime: 1_700_000_000,
    refundKeys: [stranger],
  })),
  wrongLock("a locktime that passes within 10 minutes", (ours) => ({
    pubkey: ours,
    locktime: soon(),
    refundKeys: [stranger],
  })),
  wrongLock("ours only after the locktime", (ours) => ({
    pubkey: stranger,
    locktime: soon() + 86_400,
    refundKeys: [ours],
  })),
  {
    status: 402,
    reason: "wrong-p2pk",
    name: "one unlocked proof among locked ones",
    token: (world) =>
      world.mint({
        denominations: [64, 32, 4],
        secretOverride: (index) =>
          index === 2 ? randomBytes(32).toString("hex") : lockedSecret({ pubkey: world.operator.p2pk }),
      }),
  },
];

const cases = [...authorizationCases, ...bodyCases, ...tokenCases, ...lockCases];

function tampered(world: World, change: (event: EventTemplate & { sig: string }) => object): string {
  const header = createBuyer().authorization(orderAt(world.operator, DAY));
  const event = JSON.parse(Buffer.from(header.slice("Nostr ".length), "base64").toString());
  return `Nostr ${Buffer.from(JSON.stringify(change(event))).toString("base64")}`;
}

interface StartedMint {
  url: string;
  stop(): Promise<void>;
}

const lanes: { name: string; skip: string | undefined; start: () => Promise<StartedMint> }[] = [
  { name: "our mint", skip: undefined, start: () => startMint({ feePpk: FEE_PPK }) },
  {
    name: "Nutshell",
    skip: nutshellSkip,
    start: () => startNutshell({ venv: venv ?? "", feePpk: FEE_PPK }),
  },
];

describe.each(lanes)("a refused token stays UNSPENT at $name", ({ skip, start }) => {
  describe.skipIf(skip)(skip ? `(skipped: ${skip})` : "by the mint's own word", () => {
    const closing: (() => Promise<unknown>)[] = [];
    let world: World;

    beforeAll(async () => {
      const relay = await startRelay();
      const mint = await start();
      const other = await startMint();
      const gate = await startGate(mint.url);
      closing.push(
        () => relay.stop(),
        () => mint.stop(),
        () => other.stop(),
        () => gate.shut(),
      );
      const operator = await createOperator({ relays: [relay.url], mints: [gate.url], ...normal });
      closing.unshift(() => operator.destroy());
      await operator.start();
      const minted = (options: Partial<MintTokenOptions> = {}) =>
        mintToken({ mintUrl: gate.url, amountSat: 100, lock: { pubkey: operator.p2pk }, ...options });
      world = {
        relay,
        gate,
        operator,
        mintUrl: mint.url,
        otherMintUrl: other.url,
        good: await minted(),
        mint: minted,
      };
    }, 90_000);

    afterAll(async () => {
      for (const close of closing) await close();
    });

    async function refuse(test: Case): Promise<Answer> {
      const token = (await test.token?.(world)) ?? world.good;
      const buyer = createBuyer();
      const order = test.order?.(world, token.token) ?? {};
      const answer = await buyer.purchase(orderAt(world.operator, DAY, { token: token.token, ...order }));
      expectRefused(answer, test);
      expectNothingInternal(answer, world.operator, buyer, token.token);
      await expectUnspent(token);
      return answer;
    }

    async function expectUnspent({ proofs }: MintedToken): Promise<void> {
      const mintUrl = proofs[0]?.id === world.good.proofs[0]?.id ? world.mintUrl : world.otherMintUrl;
      expect(await proofStates(mintUrl, proofs)).toEqual(proofs.map(() => "UNSPENT"));
    }

    async function restart(settings: Partial<OperatorSettings>): Promise<void> {
      await world.operator.stop();
      world.operator.writeConfig({ mints: [world.gate.url], ...normal, ...settings });
      await world.operator.start();
    }

    it.each(cases)("$reason: $name", async (test) => {
      await refuse(test);
    });

    it("payment-required: no token at all, with what would pay", async () => {
      const { operator, gate } = world;
      const buyer = createBuyer();
      const answer = await buyer.purchase(orderAt(operator, HOUR));
      expectRefused(answer, { status: 402, reason: "payment-required" });
      expectNothingInternal(answer, operator, buyer);
      const request = decodePaymentRequest(answer.headers.get("x-cashu") ?? "");
      expect(request.amount?.toString()).toBe("20");
      expect(request.unit).toBe("sat");
      expect(request.mints).toEqual([gate.url]);
      expect(request.nut10).toMatchObject({ kind: "P2PK", data: operator.p2pk });
    });

    it("rate-limited: more than 30 purchases of one client in a minute, renewals and others apart", async () => {
      const headers = freshClient();
      const wrongPrice = { ...DAY, amount: 99, currency: "sat" };
      const purchase = () =>
        createBuyer().purchase(
          orderAt(world.operator, DAY, { token: world.good.token, price: wrongPrice, headers }),
        );
      let allowed = 0;
      let answer = await purchase();
      // One more is let through every two seconds: on a slow machine a few more than 30.
      for (; answer.body.reason === "price-mismatch" && allowed < 300; answer = await purchase()) allowed++;
      expect(allowed).toBeGreaterThanOrEqual(30);
      expectRefused(answer, { status: 429, reason: "rate-limited" });
      expect(answer.text).not.toContain(headers["x-forwarded-for"]);
      await expectUnspent(world.good);
    });

    it("cashu-not-configured", async () => {
      await restart({ cashuEnabled: false });
      const answer = await refuse({ name: "", status: 503, reason: "cashu-not-configured" });
      expect(answer.headers.get("retry-after")).toBe("3600");
    });

    it("no-cashu-in-listing", async () => {
      await restart({ mints: [] });
      await refuse({ name: "", status: 503, reason: "no-cashu-in-listing" });
    });

    it("mint-unreachable", async () => {
      await world.gate.shut();
      await restart({});
      await refuse({ name: "", status: 503, reason: "mint-unreachable" });
      await world.gate.open();
    });

    it("tunnel-unavailable: no such interface", async () => {
      await restart({ wireguard: "kernel", interfaceName: "europa-none" });
      await refuse({ name: "", status: 503, reason: "tunnel-unavailable" });
      const health = await fetch(`${world.operator.url}/health`);
      expect(health.status).toBe(503);
      expect(await health.json()).toMatchObject({
        ok: false,
        reason: expect.stringContaining("europa-none"),
      });
    });

    it("no-ip-available: every address is taken; a renewal still goes through", async () => {
      await restart({ subnet: "10.66.43.0/30" });
      const first = createBuyer();
      expect((await buy(first, await world.mint())).status).toBe(200);
      const answer = await refuse({ name: "", status: 503, reason: "no-ip-available" });
      expect(answer.headers.get("retry-after")).toBe("60");
      expect((await buy(first, await world.mint())).status).toBe(200);
    });

    it("and the very token that was refused all along buys a day", async () => {
      await restart({});
      await expectUnspent(world.good);
      expect((await buy(createBuyer(), world.good)).status).toBe(200);
      expect(await proofStates(world.mintUrl, world.good.proofs)).toEqual(
        world.good.proofs.map(() => "SPENT"),
      );
    });

    function buy(buyer: Buyer, { token }: MintedToken): Promise<Answer> {
      return buyer.purchase(orderAt(world.operator, DAY, { token }));
    }
  });
});

describe.skipIf(tunnelsSkip)(
  `with a real interface${tunnelsSkip ? ` (skipped: ${tunnelsSkip})` : ""}`,
  () => {
    let market: TunnelMarket;

    beforeAll(async () => {
      market = await openTunnelMarket({ tag: "refuse", buyers: 1 });
      await market.operator.start();
    }, 60_000);

    afterAll(() => market?.destroy());

    it("policy: a key that the operator put on the interface by hand", async () => {
      const { world, operator, mint } = market;
      const buyer = createBuyer();
      const peer = ["peer", buyer.wireguard.publicKey, "allowed-ips", "10.66.42.77/32"];
      await world.exec("operator", ["wg", "set", world.interfaceName, ...peer]);
      const looksAgain = 2 * 1000;
      await sleep(looksAgain);
      const { token, proofs } = await mintToken({
        mintUrl: mint.url,
        amountSat: 10,
        lock: { pubkey: operator.p2pk },
      });
      const answer = await buyer.purchase(orderAt(operator, HOUR, { token }));
      expectRefused(answer, { status: 409, reason: "policy" });
      expectNothingInternal(answer, operator, buyer, token);
      expect(await proofStates(mint.url, proofs)).toEqual(proofs.map(() => "UNSPENT"));
    });
  },
);

it("mint-unreachable: three swaps of unknown outcome, and no fourth until they are settled", async () => {
  const relay = await startRelay();
  const mint = await startMint();
  const operator = await createOperator({ relays: [relay.url], mints: [mint.url], ...normal });
  try {
    await operator.start();
    mint.fault = ({ path }) => (path === "/v1/swap" ? { kind: "drop-before" } : undefined);
    const tokens = await Promise.all(
      Array.from({ length: 4 }, () =>
        mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: operator.p2pk } }),
      ),
    );
    const [fourth, ...three] = tokens as [MintedToken, ...MintedToken[]];
    const inDoubt = three.map(({ token }) => createBuyer().purchase(orderAt(operator, DAY, { token })));
    await operator.waitForEvent("sale-open", 10_000, 2);
    const order = orderAt(operator, DAY, { token: fourth.token });
    expectRefused(await createBuyer().purchase(order), { status: 503, reason: "mint-unreachable" });
    expect(await proofStates(mint.url, fourth.proofs)).toEqual(fourth.proofs.map(() => "UNSPENT"));
    mint.fault = undefined;
    expect((await Promise.all(inDoubt)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await createBuyer().purchase(order)).status).toBe(200);
  } finally {
    await operator.destroy();
    await mint.stop();
    await relay.stop();
  }
});
