import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addressIn,
  type Buyer,
  createWorld,
  DAY,
  imbalances,
  reasonOf,
  type World,
} from "../testing/sales-world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({ answerWithinMs: 400 });
});
afterEach(async () => {
  expect(imbalances(world)).toEqual([]);
  await world.close();
});

async function bought(buyer: Buyer = world.buyer()) {
  const token = world.mint.issue([64, 32, 4]);
  const answer = await world.buy(buyer, token);
  return { buyer, token, answer, address: addressIn(answer) };
}

function mintCalls() {
  return { ...world.mint.calls };
}

describe("a known claim", () => {
  it("gets the same answer, however often, after a restart, from the book alone", async () => {
    const { buyer, token, answer } = await bought();
    const before = mintCalls();
    world.pass(60);
    expect(await world.buy(buyer, token)).toEqual(answer);
    await world.restart();
    expect(await world.buy(buyer, token)).toEqual(answer);
    expect(mintCalls()).toEqual(before);
  });

  it("is the WireGuard key's, whichever Nostr key signs", async () => {
    const { buyer, token, answer } = await bought();
    expect(await world.buy({ ...world.buyer(), publicKey: buyer.publicKey }, token)).toEqual(answer);
  });

  it("is known whatever order its proofs come in", async () => {
    const { buyer, token, answer } = await bought();
    const turned = world.mint.mix([2, 0, 1].map((from) => ({ of: token, from, to: from + 1 })));
    expect(await world.buy(buyer, turned)).toEqual(answer);
  });

  it("is answered though listing, price, mints, bounds and the pool changed, and the request expired", async () => {
    const { buyer, token, address } = await bought();
    const old = world.authorization(buyer);
    Object.assign(world.settings, {
      prices: [{ amount: 9, currency: "EUR", unit: "week" }],
      priceGraceSeconds: 0,
      minPurchase: { amount: 300, unit: "day" },
      dTag: "other",
      mintAccepted: false,
      closed: "sales are paused",
    });
    world.mint.setReachable(false);
    world.pass(3600);
    await world.restart();
    const odd = {
      authorization: old,
      countStranger: () => {
        throw new Error("a known claim was counted as a stranger");
      },
    };
    expect(addressIn(await world.buy(buyer, token, odd))).toBe(address);
  });

  it.each(["cashu-not-configured", "no-cashu-in-listing"] as const)(
    "is answered when ecash is off: %s",
    async (off) => {
      const { buyer, token, answer } = await bought();
      world.settings.cashu = off;
      await world.restart();
      expect(await world.buy(buyer, token)).toEqual(answer);
    },
  );

  it("of another key and buyer is double-spent, without a call to the mint", async () => {
    const { token } = await bought();
    const before = mintCalls();
    expect(await reasonOf(world.buy(world.buyer(), token))).toBe("double-spent");
    expect(mintCalls()).toEqual(before);
  });

  it("of a part, or of more, is double-spent without a call to the mint", async () => {
    const { buyer, token } = await bought();
    const fresh = world.mint.issue([100]);
    const before = mintCalls();
    const part = world.mint.mix([{ of: token, from: 0, to: 1 }]);
    const more = world.mint.mix([
      { of: token, from: 0, to: 3 },
      { of: fresh, from: 0, to: 1 },
    ]);
    expect(await reasonOf(world.buy(buyer, part))).toBe("double-spent");
    expect(await reasonOf(world.buy(buyer, more))).toBe("double-spent");
    expect(mintCalls()).toEqual(before);
    expect(world.mint.statesOf(fresh)).toEqual(["UNSPENT"]);
  });

  it("whose session is over is double-spent, and says when it ended", async () => {
    const { buyer, token } = await bought();
    await world.sweep(DAY);
    const ended = new Date(world.time.seconds * 1000).toISOString();
    await world.sweep(3600);
    await expect(world.buy(buyer, token)).rejects.toMatchObject({
      reason: "double-spent",
      message: `this token's tunnel ended at ${ended}`,
    });
  });

  it("whose session is over stays so while a renewal is under way, and is live again after it", async () => {
    const { buyer, token, address } = await bought();
    await world.sweep(DAY);
    world.mint.script("swap", "silence");
    const renewal = world.mint.issue([100]);
    await reasonOf(world.buy(buyer, renewal));
    expect(await reasonOf(world.buy(buyer, token))).toBe("double-spent");
    await world.sweep();
    expect(addressIn(await world.buy(buyer, token))).toBe(address);
  });

  it("whose outcome is unknown is told to repeat, and that it cannot pay twice", async () => {
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    world.mint.setSilent(true);
    const unknown = { reason: "mint-unreachable", retryAfterSeconds: 5, message: /repeat this very request/ };
    await expect(world.buy(buyer, token)).rejects.toMatchObject(unknown);
    await expect(world.buy(buyer, token)).rejects.toMatchObject(unknown);
    expect(await reasonOf(world.buy(world.buyer(), token))).toBe("double-spent");
    world.mint.heal();
    world.pass(5);
    await world.buy(buyer, token);
  });
});

describe("another key of the same buyer", () => {
  it("takes the session over: the old key off, the time kept", async () => {
    const { buyer, token, address, answer } = await bought();
    world.pass(3600);
    const reborn = world.buyer(buyer.nostrKey);
    const moved = await world.buy(reborn, token);
    expect(addressIn(moved)).toBe(address);
    expect(moved.expiresAt).toBe(answer.expiresAt);
    expect(await world.peerKeys()).toEqual([reborn.publicKey]);
    await world.sweep();
    expect(await world.peerAt(address)).toBe(reborn.publicKey);
    expect(await world.buy(reborn, token)).toMatchObject({ expiresAt: answer.expiresAt });
  });

  it("at most five times an hour", async () => {
    const { buyer, token } = await bought();
    for (let move = 0; move < 5; move++) await world.buy(world.buyer(buyer.nostrKey), token);
    const sixth = world.buyer(buyer.nostrKey);
    expect(await reasonOf(world.buy(sixth, token))).toBe("rate-limited");
    await world.sweep(3601);
    await world.buy(sixth, token);
    expect(await world.peerKeys()).toEqual([sixth.publicKey]);
  });

  it("takes the renewals along, also one that is still open", async () => {
    const { buyer, token } = await bought();
    world.mint.script("swap", "silence");
    const renewal = world.mint.issue([100]);
    await reasonOf(world.buy(buyer, renewal));
    const reborn = world.buyer(buyer.nostrKey);
    await world.buy(reborn, token);
    await world.sweep();
    const { expiresAt } = await world.buy(reborn, renewal);
    expect(expiresAt).toBe(1_800_000_000 + 2 * DAY);
    expect(await world.peerKeys()).toEqual([reborn.publicKey]);
  });

  it("takes over a sale that waits without an address", async () => {
    await world.close();
    world = await createWorld({ answerWithinMs: 400, times: { addressHoldSeconds: 0 } });
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    world.mint.setSilent(true);
    await reasonOf(world.buy(buyer, token));
    expect(world.all("SELECT session_id FROM sales")).toEqual([{ session_id: null }]);
    const reborn = world.buyer(buyer.nostrKey);
    await reasonOf(world.buy(reborn, token));
    world.mint.heal();
    await world.sweep();
    await world.buy(reborn, token);
    expect(await world.peerKeys()).toEqual([reborn.publicKey]);
  });

  it("takes over a sale that loses its address while the interface is waited for", async () => {
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    world.mint.setSilent(true);
    await reasonOf(world.buy(buyer, token));
    const [{ sale_id: saleId = "" } = {}] = world.all<{ sale_id: string }>("SELECT sale_id FROM sales");
    const reborn = world.buyer(buyer.nostrKey);
    const moving = reasonOf(world.buy(reborn, token));
    world.run.sales.releaseAddress(saleId, world.time.seconds);
    expect(await moving).toBe("mint-unreachable");
    expect(world.run.sales.find(saleId)).toMatchObject({ clientKey: reborn.publicKey, sessionId: null });
  });

  it("does not take what somebody else paid into the session", async () => {
    const { buyer, token } = await bought();
    await world.buy({ ...world.buyer(), publicKey: buyer.publicKey }, world.mint.issue([100]));
    expect(await reasonOf(world.buy(world.buyer(buyer.nostrKey), token))).toBe("double-spent");
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
  });

  it("that has a tunnel of its own is refused", async () => {
    const { buyer, token } = await bought();
    const other = world.buyer(buyer.nostrKey);
    await world.buy(other, world.mint.issue([100]));
    expect(await reasonOf(world.buy(other, token))).toBe("policy");
    expect((await world.peerKeys()).sort()).toEqual([buyer.publicKey, other.publicKey].sort());
  });

  it("after the end is told so, and moves nothing", async () => {
    const { buyer, token } = await bought();
    await world.sweep(DAY);
    expect(await reasonOf(world.buy(world.buyer(buyer.nostrKey), token))).toBe("double-spent");
    expect(world.all("SELECT * FROM key_moves")).toEqual([]);
  });

  it("leaves no old key with an answer for a tunnel that is not its own any more", async () => {
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    world.mint.script("swap", "stall");
    const old = reasonOf(world.buy(buyer, token));
    await expect.poll(() => world.mint.calls.swap).toBe(1);
    const reborn = world.buyer(buyer.nostrKey);
    const moved = world.buy(reborn, token);
    await new Promise((resolve) => setTimeout(resolve, 20));
    world.mint.unstall();
    await moved;
    expect(await old).toBe("double-spent");
    expect(await world.peerKeys()).toEqual([reborn.publicKey]);
  });
});
