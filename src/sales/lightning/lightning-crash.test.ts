import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { type Buyer, createWorld, DAY, type World } from "../../testing/sales-world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const sales = () =>
  world.all<{ state: string; session_id: string | null }>(
    "SELECT state, session_id FROM sales ORDER BY rowid",
  );
const states = () => sales().map(({ state }) => state);

/** What a start does for Lightning, before it serves anybody. */
async function restart(): Promise<void> {
  await world.restart();
  await world.run.settlement.sweep();
  await world.run.payments.recover();
  await world.run.settlement.idle();
}

async function endOf(buyer: Buyer): Promise<number | null | undefined> {
  const session = world.run.sessions.findByKey(buyer.publicKey, world.time.seconds);
  return session?.expiresAt;
}

describe("the daemon dies before anybody has the invoice", () => {
  it.each([
    { verb: "open", when: "before" },
    { verb: "open", when: "after" },
    { verb: "invoiced", when: "before" },
    { verb: "invoiced", when: "after" },
  ] as const)(
    "$when $verb: nothing is kept that could be paid unseen, and the buyer asks again",
    async (point) => {
      const buyer = world.buyer();
      world.crashAt(point);
      await expect(world.invoice(buyer)).rejects.toThrow();
      await restart();
      const { paymentHash, preimage } = await world.invoice(buyer);
      world.node.settle(paymentHash);
      world.pass(2);
      expect((await world.run.lnurl.config(paymentHash, preimage)).expiresAt).toBe(world.time.seconds + DAY);
      expect(await world.peerKeys()).toEqual([buyer.publicKey]);
      expect(states().filter((state) => state === "granted")).toHaveLength(1);
    },
  );

  it("once an invoice was made and its sale written, the same one is given out", async () => {
    const buyer = world.buyer();
    world.crashAt({ verb: "invoiced", when: "after" });
    await expect(world.invoice(buyer)).rejects.toThrow();
    await restart();
    await world.invoice(buyer);
    expect(states()).toEqual(["invoiced"]);
  });
});

describe("the daemon dies after the invoice was paid", () => {
  it.each([
    { verb: "paid", when: "before" },
    { verb: "paid", when: "after" },
    { verb: "attachSession", when: "before" },
    { verb: "attachSession", when: "after" },
    { verb: "granted", when: "before" },
    { verb: "granted", when: "after" },
  ] as const)("$when $verb: one tunnel for one payment, with its full time", async (point) => {
    const buyer = world.buyer();
    const { paymentHash, preimage } = await world.invoice(buyer);
    world.crashAt(point);
    const following = world.run.payments.follow(world.run.following.signal);
    world.node.settle(paymentHash);
    await world.run.settlement.idle();
    await eventually(world.isDead);
    const wasGranted = states()[0] === "granted";
    const grantedAt = world.time.seconds;
    world.pass(3600);
    await restart();
    await following;
    expect(states()).toEqual(["granted"]);
    expect(await endOf(buyer)).toBe((wasGranted ? grantedAt : world.time.seconds) + DAY);
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
    await world.run.lnurl.config(paymentHash, preimage);
  });

  it("paid while it was down for an hour: the node is asked, the time is whole", async () => {
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    await world.restart();
    world.node.settle(paymentHash);
    world.pass(3600);
    await restart();
    expect(await endOf(buyer)).toBe(world.time.seconds + DAY);
  });

  it("and its stream says it again and again: one grant", async () => {
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    void world.run.payments.follow(world.run.following.signal);
    world.node.settle(paymentHash);
    await eventually(() => states()[0] === "granted");
    await restart();
    world.run.book.exec("UPDATE node_cursors SET position = 0");
    void world.run.payments.follow(world.run.following.signal);
    await eventually(() => Number(world.run.invoices.cursor("fake")) > 0);
    const payment = { paymentHash, reference: undefined, receivedMsat: 100_000, feeMsat: 0 };
    expect(world.run.invoices.paid("fake", payment, undefined, world.time.seconds).kind).toBe("replayed");
    expect(await endOf(buyer)).toBe(world.time.seconds + DAY);
  });
});

describe("the daemon dies while an invoice lapses", () => {
  it.each([
    { verb: "lapse", when: "before" },
    { verb: "lapse", when: "after" },
  ] as const)("$when the book is written: the address comes free all the same", async (point) => {
    await world.invoice(world.buyer());
    world.pass(10_000);
    world.crashAt(point);
    await expect(world.run.payments.poll()).rejects.toThrow();
    await restart();
    world.pass(60);
    await world.run.payments.poll();
    expect(sales()).toEqual([{ state: "lapsed", session_id: null }]);
    expect(world.all("SELECT * FROM sessions")).toEqual([]);
  });
});
