import { afterEach, describe, expect, it } from "vitest";
import {
  addressIn,
  type BookedSale,
  type Buyer,
  type CrashPoint,
  createWorld,
  DAY,
  imbalances,
  reasonOf,
  type World,
  type WorldOptions,
} from "../testing/sales-world.ts";

let world: World;
afterEach(async () => {
  expect(imbalances(world)).toEqual([]);
  await world.close();
});

async function inWorld(options: WorldOptions = {}): Promise<void> {
  world = await createWorld({ answerWithinMs: 400, ...options });
}

function sales(): BookedSale[] {
  return world.all<BookedSale>("SELECT * FROM sales ORDER BY rowid");
}

function states(): string[] {
  return sales().map((sale) => sale.state);
}

function endOf(buyer: Buyer): number | null | undefined {
  return world.run.sessions.findByKey(buyer.publicKey, world.time.seconds)?.expiresAt;
}

/** A buyer whose answer does not matter: the process may die under him. */
async function tried(buyer: Buyer, token: string): Promise<void> {
  await world.buy(buyer, token).catch(() => undefined);
}

describe("a crash", () => {
  const verbs: CrashPoint["verb"][] = ["open", "paid", "attachSession", "granted"];
  const points = verbs.flatMap((verb) =>
    (["before", "after"] as const).map((when): CrashPoint => ({ verb, when })),
  );

  it.each(points)("$when $verb is made good: one swap, one grant, the whole time", async (point) => {
    await inWorld();
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    world.crashAt(point);
    await tried(buyer, token);
    expect(world.isDead()).toBe(true);
    await world.restart();
    await world.sweep(0);
    const { expiresAt } = await world.buy(buyer, token);
    expect(expiresAt).toBe(world.time.seconds + DAY);
    expect(states()).toEqual(["granted"]);
    expect(world.mint.statesOf(token)).toEqual(["SPENT", "SPENT", "SPENT"]);
    expect(world.mint.signedSat()).toBe(100);
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
  });

  it.each(["before", "after"] as const)("%s a release leaves the token unspent and free", async (when) => {
    await inWorld();
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", { refused: 10000 });
    world.crashAt({ verb: "released", when });
    await tried(buyer, token);
    expect(world.isDead()).toBe(true);
    await world.restart();
    await world.sweep(0);
    await world.sweep();
    expect(world.mint.statesOf(token)).toEqual(
      when === "after" ? Array(3).fill("UNSPENT") : Array(3).fill("SPENT"),
    );
    await world.buy(buyer, token);
    expect(states().filter((state) => state === "granted")).toHaveLength(1);
  });

  it.each(["before", "after"] as const)("%s a new attempt is written loses nothing", async (when) => {
    await inWorld();
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", { refused: 12002 });
    world.crashAt({ verb: "newAttempt", when });
    await tried(buyer, token);
    expect(world.isDead()).toBe(true);
    await world.restart();
    await world.sweep(0);
    await world.buy(buyer, token);
    expect(states()).toEqual(["granted"]);
  });

  it.each(["caller-dies-before", "caller-dies-after"] as const)(
    "with the request on its way (%s) is resolved by the mint",
    async (fault) => {
      await inWorld();
      const buyer = world.buyer();
      const token = world.mint.issue([64, 32, 4]);
      world.mint.script("swap", fault);
      await tried(buyer, token);
      await world.restart();
      await world.sweep(0);
      await world.buy(buyer, token);
      expect(states()).toEqual(["granted"]);
      expect(world.mint.calls.swap).toBe(fault === "caller-dies-before" ? 2 : 1);
    },
  );

  it("waits for the mint's word twice before it lets go of a token that was spent meanwhile", async () => {
    await inWorld({ times: { settleMs: 60_000 } });
    const token = world.mint.issue([100]);
    world.mint.script("swap", "caller-dies-before");
    await tried(world.buyer(), token);
    world.mint.spend(token);
    await world.restart();
    await world.sweep(0);
    expect(states()).toEqual(["swapping"]);
    await world.sweep(59);
    expect(states()).toEqual(["swapping"]);
    await world.sweep(2);
    expect(sales()).toMatchObject([{ state: "released", release_reason: "double-spent" }]);
  });

  it("between the peer on the interface and the book grants once", async () => {
    await inWorld();
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    world.crashAt({ verb: "granted", when: "before" });
    await tried(buyer, token);
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
    world.pass(3600);
    await world.restart();
    await world.sweep(0);
    expect(endOf(buyer)).toBe(world.time.seconds + DAY);
  });

  it("again and again, at every verb in turn, ends in one grant", async () => {
    await inWorld();
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    for (const point of points) {
      world.crashAt(point);
      await tried(buyer, token);
      await world.sweep(0).catch(() => undefined);
      await world.restart();
    }
    await world.sweep(0);
    await world.buy(buyer, token);
    expect(states()).toEqual(["granted"]);
    expect(endOf(buyer)).toBe(world.time.seconds + DAY);
  });
});

describe("a mint that is silent", () => {
  it("and acted: the repeated request gets the tunnel, the mint is not asked to swap again", async () => {
    await inWorld();
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", "acts-then-silence");
    world.mint.script("restore", "silence");
    expect(await reasonOf(world.buy(buyer, token))).toBe("mint-unreachable");
    await world.sweep();
    await world.buy(buyer, token);
    expect(world.mint.calls.swap).toBe(1);
  });

  it("and did not act: the same bytes are sent again", async () => {
    await inWorld();
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", "silence", "silence");
    expect(await reasonOf(world.buy(buyer, token))).toBe("mint-unreachable");
    await world.sweep();
    expect(states()).toEqual(["swapping"]);
    await world.sweep();
    expect(states()).toEqual(["granted"]);
    expect(world.mint.calls).toMatchObject({ prepareSwap: 1, renewSwap: 0, swap: 3 });
  });

  it("whose first request lands after the second was sent pays once", async () => {
    await inWorld();
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", "lands-late", "lands-late");
    await tried(buyer, token);
    await world.sweep();
    world.mint.landLate();
    await world.sweep();
    await world.buy(buyer, token);
    expect(world.mint.signedSat()).toBe(100);
  });

  it("that refuses the second request while the first may still land is asked again, not believed", async () => {
    await inWorld({ times: { settleMs: 60_000 } });
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", "lands-late", { refused: 10000 });
    await tried(buyer, token);
    await world.sweep(5);
    expect(states()).toEqual(["swapping"]);
    world.mint.landLate();
    await world.sweep(5);
    expect(states()).toEqual(["granted"]);
  });

  it("that says spent while our own swap is being written is asked again", async () => {
    await inWorld({ times: { settleMs: 60_000 } });
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", "acts-then-silence");
    world.mint.script("restore", "empty", "empty");
    await tried(world.buyer(), token);
    await world.sweep(30);
    expect(states()).toEqual(["swapping"]);
    await world.sweep(60);
    expect(states()).toEqual(["granted"]);
  });

  it.each(["PENDING", "silence"] as const)("about the inputs (%s) keeps the sale open", async (fault) => {
    await inWorld();
    const token = world.mint.issue([100]);
    world.mint.script("swap", { refused: 10000 });
    world.mint.script("inputState", fault);
    await tried(world.buyer(), token);
    expect(states()).toEqual(["swapping"]);
    await world.sweep();
    expect(states()).toEqual(["granted"]);
  });

  it("is asked with growing pauses", async () => {
    await inWorld({ times: { pausesMs: [1_000, 10_000] } });
    world.mint.setSilent(true);
    await tried(world.buyer(), world.mint.issue([100]));
    const asked = async (seconds: number) => {
      const before = world.mint.calls.restore;
      await world.sweep(seconds);
      return world.mint.calls.restore - before;
    };
    expect(await asked(0)).toBe(0);
    expect(await asked(1)).toBe(1);
    expect(await asked(8)).toBe(0);
    expect(await asked(2)).toBe(1);
    expect(await asked(9)).toBe(0);
    expect(await asked(1)).toBe(1);
  });

  it("gets no more swaps while three are of unknown outcome, and again when they are settled", async () => {
    await inWorld();
    world.mint.setSilent(true);
    await Promise.all([1, 2, 3].map(() => tried(world.buyer(), world.mint.issue([100]))));
    expect(world.run.settlement.hasRoomAt(world.mint.mint.key)).toBe(false);
    const late = world.buyer();
    const token = world.mint.issue([100]);
    const before = { ...world.mint.calls };
    expect(await reasonOf(world.buy(late, token))).toBe("mint-unreachable");
    expect(world.mint.calls).toEqual(before);
    await world.restart();
    expect(world.run.settlement.hasRoomAt(world.mint.mint.key)).toBe(false);
    world.mint.heal();
    await world.sweep();
    await world.buy(late, token);
    expect(states()).toEqual(["granted", "granted", "granted", "granted"]);
  });

  it("in the first round of a fresh sale does not hold up a sweep", async () => {
    await inWorld();
    world.mint.script("swap", "stall");
    await tried(world.buyer(), world.mint.issue([100]));
    await world.run.settlement.sweep();
    expect(states()).toEqual(["swapping"]);
    world.mint.unstall();
    await world.run.settlement.idle();
  }, 5_000);

  it("does not hold up those who have paid", async () => {
    await inWorld();
    const [owed, stuck] = [world.buyer(), world.buyer()];
    world.mint.script("swap", "stall");
    const first = tried(owed, world.mint.issue([100]));
    await expect.poll(() => world.mint.calls.swap).toBe(1);
    world.wireguard.takeDown();
    world.mint.unstall();
    await first;
    await expect.poll(states).toEqual(["owed"]);
    world.wireguard.bringUp();
    world.mint.script("swap", "silence", "stall");
    await tried(stuck, world.mint.issue([100]));
    world.pass(60);
    await world.run.settlement.sweep();
    await expect.poll(states).toEqual(["granted", "swapping"]);
    world.mint.unstall();
    await world.run.settlement.idle();
  });
});

describe("a mint that refuses", () => {
  it("for a token spent elsewhere: double-spent at once, the claim free", async () => {
    await inWorld();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.spend(token);
    expect(await reasonOf(world.buy(world.buyer(), token))).toBe("double-spent");
    expect(states()).toEqual(["released"]);
    expect(world.all("SELECT * FROM sale_inputs")).toEqual([]);
    expect(world.all("SELECT * FROM sessions")).toEqual([]);
  });

  it("for a part spent elsewhere: double-spent, the rest untouched", async () => {
    await inWorld();
    const [whole, part] = [world.mint.issue([50, 50]), world.mint.issue([60])];
    world.mint.spend(part);
    const mixed = world.mint.mix([
      { of: whole, from: 0, to: 2 },
      { of: part, from: 0, to: 1 },
    ]);
    expect(await reasonOf(world.buy(world.buyer(), mixed))).toBe("double-spent");
    expect(world.mint.statesOf(whole)).toEqual(["UNSPENT", "UNSPENT"]);
  });

  it("with a code that says spent, though the inputs are unspent, is not believed about it", async () => {
    await inWorld();
    const token = world.mint.issue([100]);
    world.mint.script("swap", { refused: 11001 });
    expect(await reasonOf(world.buy(world.buyer(), token))).toBe("invalid-token");
    expect(world.mint.statesOf(token)).toEqual(["UNSPENT"]);
  });

  it("the keyset gets fresh outputs on today's, the buyer notices nothing", async () => {
    await inWorld();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", { refused: 12002 });
    const buying = world.buy(world.buyer(), token);
    world.mint.rotateKeyset();
    world.mint.setFeeSat(2);
    await buying;
    expect(world.mint.calls).toMatchObject({ renewSwap: 1, swap: 2 });
    expect(sales()).toMatchObject([{ state: "granted", fee_sat: 2, received_sat: 98 }]);
  });

  it("every attempt releases the sale, the token untouched", async () => {
    await inWorld();
    const token = world.mint.issue([100]);
    world.mint.script("swap", { refused: 12002 }, { refused: 12001 }, { refused: 11005 });
    expect(await reasonOf(world.buy(world.buyer(), token))).toBe("mint-unreachable");
    expect(world.mint.calls).toMatchObject({ swap: 3, renewSwap: 2 });
    expect(world.mint.statesOf(token)).toEqual(["UNSPENT"]);
    expect(states()).toEqual(["released"]);
  });

  it("is not asked for fresh outputs once it left the configuration", async () => {
    await inWorld();
    const token = world.mint.issue([100]);
    world.mint.script("swap", "silence");
    await tried(world.buyer(), token);
    world.settings.mintAccepted = false;
    await world.restart();
    world.mint.rotateKeyset();
    await world.sweep(0);
    await world.sweep(61);
    expect(sales()).toMatchObject([{ state: "released", release_reason: "mint-unreachable" }]);
    expect(world.mint.calls.renewSwap).toBe(0);
  });

  it("left the configuration, and still finishes what it began", async () => {
    await inWorld();
    const token = world.mint.issue([100]);
    world.mint.script("swap", "caller-dies-after");
    await tried(world.buyer(), token);
    world.settings.mintAccepted = false;
    await world.restart();
    await world.sweep(0);
    expect(states()).toEqual(["granted"]);
  });
});

describe("a mint that answers wrongly", () => {
  it("serves the buyer, books the loss, and is shut off", async () => {
    await inWorld();
    const token = world.mint.issue([64, 32, 4]);
    world.mint.script("swap", "flawed");
    await world.buy(world.buyer(), token);
    expect(sales()).toMatchObject([{ state: "granted", received_sat: 96, flaw: "one is missing" }]);
    expect(world.mint.shutOffReason()).toBe("one is missing");
    const next = world.mint.issue([100]);
    expect(await reasonOf(world.buy(world.buyer(), next))).toBe("mint-unreachable");
    expect(world.mint.calls.prepareSwap).toBe(1);
  });

  it("is shut off also when the restore makes its answer good", async () => {
    await inWorld();
    world.mint.script("swap", "flawed-answer");
    await world.buy(world.buyer(), world.mint.issue([64, 32, 4]));
    expect(sales()).toMatchObject([{ state: "granted", received_sat: 100 }]);
    expect(world.mint.shutOffReason()).toBe("one is missing");
  });

  it("and is silent then is asked until it says what it signed", async () => {
    await inWorld();
    world.mint.script("swap", "flawed-answer");
    world.mint.script("restore", "silence", "silence");
    await world.buy(world.buyer(), world.mint.issue([64, 32, 4]));
    expect(sales()).toMatchObject([{ state: "granted", received_sat: 96 }]);
    await world.sweep();
    expect(sales()).toMatchObject([{ received_sat: 96 }]);
    await world.restart();
    await world.sweep();
    expect(sales()).toMatchObject([{ received_sat: 100, flaw: "one is missing" }]);
    const { restore } = world.mint.calls;
    await world.sweep();
    expect(world.mint.calls.restore).toBe(restore);
  });

  it("and then says that it signed no more is believed when it says so a day later too", async () => {
    await inWorld();
    world.mint.script("swap", "flawed-answer");
    world.mint.script("restore", "silence", "empty");
    await world.buy(world.buyer(), world.mint.issue([64, 32, 4]));
    await world.sweep();
    const { restore } = world.mint.calls;
    await world.sweep(80_000);
    expect(sales()).toMatchObject([{ received_sat: 96 }]);
    expect(world.mint.calls.restore).toBe(restore);
    await world.sweep(10_000);
    expect(sales()).toMatchObject([{ received_sat: 100, flaw: "one is missing" }]);

    await world.restart();
    world.mint.script("swap", "flawed");
    await world.buy(world.buyer(), world.mint.issue([64, 32, 4]));
    for (let days = 0; days < 3; days++) await world.sweep(90_000);
    const asked = world.mint.calls.restore;
    await world.sweep(90_000);
    expect(world.mint.calls.restore).toBe(asked);
  });

  it("and whose answer was lost is found out by the restore", async () => {
    await inWorld();
    world.mint.script("swap", "flawed");
    world.crashAt({ verb: "paid", when: "before" });
    const buyer = world.buyer();
    const token = world.mint.issue([64, 32, 4]);
    await tried(buyer, token);
    await world.restart();
    await world.sweep(0);
    await world.buy(buyer, token);
    expect(sales()).toMatchObject([{ state: "granted", received_sat: 96 }]);
    expect(world.mint.shutOffReason()).toBeDefined();
  });
});

describe("a paid tunnel", () => {
  async function owedBuyer(token = world.mint.issue([100])): Promise<{ buyer: Buyer; token: string }> {
    const buyer = world.buyer();
    world.mint.script("swap", "stall");
    const buying = reasonOf(world.buy(buyer, token));
    await expect.poll(() => world.mint.calls.swap).toBe(1);
    world.wireguard.takeDown();
    world.mint.unstall();
    expect(await buying).toBe("tunnel-unavailable");
    return { buyer, token };
  }

  it("waits for its interface, and its time with it", async () => {
    await inWorld();
    const { buyer, token } = await owedBuyer();
    expect(states()).toEqual(["owed"]);
    await world.sweep(3600);
    await world.restart();
    await world.sweep(3600);
    expect(await reasonOf(world.buy(buyer, token))).toBe("tunnel-unavailable");
    world.wireguard.bringUp();
    await world.sweep(3600);
    expect(states()).toEqual(["granted"]);
    expect(endOf(buyer)).toBe(world.time.seconds + DAY);
    expect((await world.buy(buyer, token)).expiresAt).toBe(world.time.seconds + DAY);
  });

  it("comes up at the buyer's own repeated request", async () => {
    await inWorld();
    const { buyer, token } = await owedBuyer();
    world.wireguard.bringUp();
    world.pass(2);
    await world.buy(buyer, token);
    expect(states()).toEqual(["granted"]);
  });

  it("says in the log that it waits once, not at every try", async () => {
    await inWorld();
    await owedBuyer();
    await world.sweep();
    await world.sweep();
    expect(world.logLines.filter((line) => line.includes('"sale-owed"'))).toHaveLength(1);
  });
});

describe("an address", () => {
  const hold = { times: { addressHoldSeconds: 600, settleMs: 60_000 } };

  it("is given back when the mint is silent for long, and the late settlement takes any other", async () => {
    await inWorld({ subnet: "10.9.0.0/29", ...hold });
    const [buyer, token] = [world.buyer(), world.mint.issue([100])];
    world.mint.script("swap", "acts-then-silence");
    world.mint.script("restore", "silence");
    await tried(buyer, token);
    world.mint.setSilent(true);
    await world.sweep(599);
    expect(sales()[0]?.session_id).not.toBeNull();
    await world.sweep(1);
    expect(sales()).toMatchObject([{ state: "swapping", session_id: null }]);
    expect(world.run.pool.countFree(world.time.seconds, 10)).toBe(5);
    world.mint.heal();
    await world.sweep();
    expect(states()).toEqual(["granted"]);
    expect(endOf(buyer)).toBe(world.time.seconds + DAY);
  });

  it("goes to those who paid and wait before it goes to strangers, to the first who paid first", async () => {
    await inWorld({ subnet: "10.9.0.0/30", ...hold });
    const waiting = [world.buyer(), world.buyer()];
    const tokens = [world.mint.issue([100]), world.mint.issue([100])];
    world.mint.script("swap", "acts-then-silence");
    world.mint.setSilent(true);
    await tried(waiting[0] as Buyer, tokens[0] as string);
    await world.sweep(601);
    await tried(waiting[1] as Buyer, tokens[1] as string);
    await world.sweep(601);
    world.mint.heal();
    const tenant = world.buyer();
    await world.buy(tenant, world.mint.issue([100]));
    await world.sweep();
    expect(states()).toEqual(["owed", "owed", "granted"]);
    await world.sweep(DAY);
    // The tenant's address is held for him five minutes; strangers do not get it after that either.
    expect(await reasonOf(world.buy(world.buyer(), world.mint.issue([100])))).toBe("no-ip-available");
    world.pass(301);
    await world.run.keeper.tick();
    await world.run.keeper.tick();
    expect(world.run.pool.countFree(world.time.seconds, 10)).toBe(1);
    expect(await reasonOf(world.buy(world.buyer(), world.mint.issue([100])))).toBe("no-ip-available");
    await world.sweep(1);
    expect(states()).toEqual(["granted", "owed", "granted"]);
    expect(await world.peerKeys()).toEqual([waiting[0]?.publicKey]);
    await world.sweep(DAY);
    await world.sweep(301);
    expect(states()).toEqual(["granted", "granted", "granted"]);
    expect(endOf(waiting[1] as Buyer)).toBe(world.time.seconds + DAY);
  });

  it("of a running session is not given back by its open renewal", async () => {
    await inWorld({ subnet: "10.9.0.0/30", ...hold });
    const buyer = world.buyer();
    const address = addressIn(await world.buy(buyer, world.mint.issue([100])));
    world.mint.setSilent(true);
    const renewal = world.mint.issue([100]);
    await tried(buyer, renewal);
    await world.sweep(DAY / 2);
    expect(await world.peerAt(address)).toBe(buyer.publicKey);
    world.mint.heal();
    await world.sweep();
    expect(addressIn(await world.buy(buyer, renewal))).toBe(address);
    expect(endOf(buyer)).toBe(1_800_000_000 + 2 * DAY);
  });

  it("is pinned by an open renewal past the session's end", async () => {
    await inWorld({ subnet: "10.9.0.0/30", times: { addressHoldSeconds: 10 * DAY } });
    const buyer = world.buyer();
    const address = addressIn(await world.buy(buyer, world.mint.issue([100])));
    world.mint.setSilent(true);
    const renewal = world.mint.issue([100]);
    await tried(buyer, renewal);
    await world.sweep(2 * DAY);
    expect(await world.peerKeys()).toEqual([]);
    expect(await reasonOf(world.buy(world.buyer(), world.mint.issue([100])))).toBe("no-ip-available");
    world.mint.heal();
    await world.sweep();
    expect(addressIn(await world.buy(buyer, renewal))).toBe(address);
    expect(endOf(buyer)).toBe(world.time.seconds + DAY);
  });
});

describe("a disk that is full", () => {
  it("between the mint's answer and the book: what was signed is kept, and needs the mint no more", async () => {
    await inWorld({ answerWithinMs: 5_000 });
    const [buyer, token] = [world.buyer(), world.mint.issue([64, 32, 4])];
    world.mint.script("swap", "stall");
    const buying = reasonOf(world.buy(buyer, token));
    await expect.poll(() => world.mint.calls.swap).toBe(1);
    world.run.book.pragma("query_only = ON");
    world.mint.unstall();
    expect(await buying).toBe("tunnel-unavailable");
    expect(await reasonOf(world.buy(buyer, token))).toBe("tunnel-unavailable");
    expect(states()).toEqual(["swapping"]);
    world.run.book.pragma("query_only = OFF");
    await world.sweep();
    expect(sales()).toMatchObject([{ state: "granted", received_sat: 100 }]);
    expect(world.mint.calls).toMatchObject({ swap: 1, restore: 0 });
  });

  it("and a crash then: what was signed is fetched, not swapped again", async () => {
    await inWorld();
    const [buyer, token] = [world.buyer(), world.mint.issue([64, 32, 4])];
    world.crashAt({ verb: "paid", when: "before" });
    await tried(buyer, token);
    await world.restart();
    world.mint.script("restore", "empty");
    await world.sweep(0);
    expect(states()).toEqual(["swapping"]);
    await world.sweep();
    expect(sales()).toMatchObject([{ state: "granted", received_sat: 100 }]);
    expect(world.mint.calls.swap).toBe(1);
  });
});

describe("the log", () => {
  it("names what happened and nobody", async () => {
    await inWorld();
    const [buyer, token] = [world.buyer(), world.mint.issue([64, 32, 4])];
    world.mint.script("swap", "silence", { refused: 10000 });
    const answer = await world.buy(buyer, token).catch(() => undefined);
    await world.sweep(61);
    await world.sweep(61);
    await world.buy(buyer, token);
    const log = world.logLines.join("");
    expect(answer).toBeUndefined();
    expect(log).toContain('"purchase-granted"');
    expect(log).toContain('"sale-open"');
    expect(log).not.toContain(buyer.publicKey);
    expect(log).not.toContain("locked-");
    expect(log).not.toContain("ours-");
    expect(world.granted).toEqual([
      { method: "cashu", tier: "100 sat/day", amountSat: 100, sessionId: expect.any(String) },
    ]);
  });
});
