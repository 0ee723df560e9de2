import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { type Buyer, createWorld, DAY, type World } from "../../testing/sales-world.ts";
import { timesFor } from "./payments.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(async () => {
  expect(world.node.violations).toEqual([]);
  await world.close();
});

const states = () =>
  world.all<{ state: string }>("SELECT state FROM sales ORDER BY rowid").map(({ state }) => state);
const cursor = () => world.run.invoices.cursor("fake");
const follow = () => world.run.payments.follow(world.run.following.signal);
const isGranted = () => eventually(() => states().every((state) => state === "granted"));
const follows = (count = 1) => eventually(() => world.node.streamCount() === count);

function endOf(buyer: Buyer): number | null | undefined {
  return world.run.sessions.findByKey(buyer.publicKey, world.time.seconds)?.expiresAt;
}

/** A first payment, so that the book has a cursor. */
async function withCursor(): Promise<void> {
  void follow();
  await follows();
  world.node.settleForeign();
  expect(cursor()).toBe(world.node.latestCursor());
}

describe("the node's stream", () => {
  it("tells of a payment: the tunnel comes up, and the book knows how far it has heard", async () => {
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    expect(cursor()).toBeUndefined();
    void follow();
    await follows();
    world.node.settle(paymentHash);
    expect(cursor()).toBe(1);
    await isGranted();
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
    expect(world.node.calls.lookUp).toBe(0);
  });

  it("tells after a break what was missed, from the cursor on", async () => {
    await withCursor();
    const { paymentHash } = await world.invoice(world.buyer());
    world.node.habits.silent = true;
    world.node.breakStreams();
    world.node.settle(paymentHash);
    expect(states()).toEqual(["invoiced"]);
    world.node.habits.silent = false;
    await isGranted();
    expect(cursor()).toBe(2);
  });

  it("is opened again, however often it breaks, with pauses between", async () => {
    world.node.habits.silent = true;
    void follow();
    await eventually(() => world.node.calls.follow >= 5);
    world.node.habits.silent = false;
    await follows();
    const { paymentHash } = await world.invoice(world.buyer());
    world.node.settle(paymentHash);
    await isGranted();
  });

  it("ends with the signal, and resolves", async () => {
    const following = follow();
    await follows();
    world.run.following.abort();
    await following;
    expect(world.node.streamCount()).toBe(0);
  });

  it("is heard once, though it tells everything again, the latest first", async () => {
    const [one, two] = [world.buyer(), world.buyer()];
    const invoices = [
      await world.invoice(one),
      await world.invoice(two),
      await world.invoice(one, { amount: "200000" }),
    ];
    void follow();
    await follows();
    for (const { paymentHash } of invoices) world.node.settle(paymentHash);
    await isGranted();
    const ends = [endOf(one), endOf(two)];
    expect(ends).toEqual([world.time.seconds + 3 * DAY, world.time.seconds + DAY]);
    world.node.repeatBackwards();
    await world.sweep(0);
    expect([endOf(one), endOf(two)]).toEqual(ends);
    expect(cursor()).toBe(3);
  });

  it("tells of payments that are none of ours: the cursor goes on, and nothing is sold", async () => {
    await withCursor();
    for (let more = 0; more < 3; more++) world.node.settleForeign();
    expect(cursor()).toBe(4);
    expect(states()).toEqual([]);
  });

  it("knows an invoice by our reference too, where the node made two for one order", async () => {
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    const [row] = world.all<{ sale_id: string }>("SELECT sale_id FROM sales");
    const twin = { paymentHash: "ab".repeat(32), reference: row?.sale_id, receivedMsat: 100_000, feeMsat: 0 };
    expect(world.run.invoices.paid("fake", twin, 1, world.time.seconds).kind).toBe("applied");
    world.node.settle(paymentHash);
    await world.run.payments.poll();
    await world.sweep(0);
    expect(states()).toEqual(["granted"]);
    expect(endOf(buyer)).toBe(world.time.seconds + DAY);
  });
});

describe("a payment that the book cannot take now", () => {
  const fill = () => world.run.book.pragma("query_only = ON");
  const makeRoom = () => world.run.book.pragma("query_only = OFF");

  it("ends the stream, with the cursor where it was, and is told again and taken once there is room", async () => {
    await withCursor();
    const [one, two] = [await world.invoice(world.buyer()), await world.invoice(world.buyer())];
    fill();
    world.node.settle(one.paymentHash);
    world.node.settle(two.paymentHash);
    const before = world.node.calls.follow;
    await eventually(() => world.node.calls.follow >= before + 2);
    expect([states(), cursor()]).toEqual([["invoiced", "invoiced"], 1]);
    makeRoom();
    await isGranted();
    expect(cursor()).toBe(3);
    expect(world.logLines.some((line) => line.includes("node-stream-ended"))).toBe(true);
  });

  it("is taken by asking about the invoice, where the stream has no cursor yet", async () => {
    const { paymentHash } = await world.invoice(world.buyer());
    void follow();
    await follows();
    fill();
    world.node.settle(paymentHash);
    await expect(world.run.payments.poll()).rejects.toThrow();
    makeRoom();
    expect(states()).toEqual(["invoiced"]);
    world.pass(10);
    await world.run.payments.poll();
    await isGranted();
  });

  it("and its cursor are written in one transaction", async () => {
    const { paymentHash } = await world.invoice(world.buyer());
    world.run.book.exec(
      "CREATE TRIGGER broken BEFORE UPDATE OF received_msat ON invoices BEGIN SELECT raise(ABORT, 'no room'); END",
    );
    const payment = { paymentHash, reference: undefined, receivedMsat: 100_000, feeMsat: 0 };
    expect(() => world.run.invoices.paid("fake", payment, 7, world.time.seconds)).toThrow("no room");
    expect([states(), cursor()]).toEqual([["invoiced"], undefined]);
    world.run.book.exec("DROP TRIGGER broken");
    world.run.invoices.paid("fake", payment, 7, world.time.seconds);
    expect([states(), cursor()]).toEqual([["paid"], 7]);
  });
});

describe("the cursor", () => {
  it("never goes back, and each node has its own", () => {
    const payment = { paymentHash: "00".repeat(32), reference: undefined, receivedMsat: 1, feeMsat: 0 };
    const told = (node: string, at: number) => world.run.invoices.paid(node, payment, at, world.time.seconds);
    expect(told("lnd https://a", 9).kind).toBe("foreign");
    told("lnd https://a", 4);
    told("phoenixd http://b", 5);
    expect(world.run.invoices.cursor("lnd https://a")).toBe(9);
    expect(world.run.invoices.cursor("phoenixd http://b")).toBe(5);
    expect(world.run.invoices.cursor("lnd https://c")).toBeUndefined();
  });
});

describe("a node whose stream is silent", () => {
  beforeEach(() => {
    world.node.habits.streamQuiet = true;
  });

  it("is asked about each invoice that may be paid, every ten seconds", async () => {
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    void follow();
    await follows();
    await world.run.payments.poll();
    expect(world.node.calls.lookUp).toBe(1);
    world.node.settle(paymentHash);
    world.pass(9);
    await world.run.payments.poll();
    expect(world.node.calls.lookUp).toBe(1);
    world.pass(1);
    await world.run.payments.poll();
    await isGranted();
    expect(endOf(buyer)).toBe(world.time.seconds + DAY);
    world.pass(60);
    await world.run.payments.poll();
    expect(world.node.calls.lookUp).toBe(2);
  });

  it("is asked about a hundred in a round, those first that were asked about longest ago", async () => {
    for (let buyer = 0; buyer < 120; buyer++)
      await world.invoice(world.buyer(), { client: `client ${buyer}` });
    await world.run.payments.poll();
    expect(world.node.calls.lookUp).toBe(100);
    const { paymentHash } = await world.invoice(world.buyer(), { client: "the last" });
    world.node.settle(paymentHash);
    await world.run.payments.poll();
    expect(world.node.calls.lookUp).toBe(121);
    await eventually(() => states().includes("granted"));
  });

  it("is asked no more in a round in which it does not answer", async () => {
    for (let buyer = 0; buyer < 20; buyer++)
      await world.invoice(world.buyer(), { client: `client ${buyer}` });
    world.node.habits.silent = true;
    await world.run.payments.poll();
    expect(world.node.calls.lookUp).toBeLessThanOrEqual(4);
    world.node.habits.silent = false;
    await world.run.payments.poll();
    expect(world.node.calls.lookUp).toBeGreaterThanOrEqual(20);
  });

  it("is asked at a start about what is open, and what has lapsed", async () => {
    const [open, lapsed] = [world.buyer(), world.buyer()];
    const late = await world.invoice(lapsed);
    world.pass(DAY);
    await world.run.payments.poll();
    const { paymentHash } = await world.invoice(open);
    expect(states()).toEqual(["lapsed", "invoiced"]);
    world.node.settle(paymentHash);
    world.node.settle(late.paymentHash, {}, true);
    await world.restart();
    await world.run.payments.recover();
    await isGranted();
    expect((await world.peerKeys()).sort()).toEqual([open.publicKey, lapsed.publicKey].sort());
  });

  it("is asked later about what has lapsed, when it did not answer at the start", async () => {
    const { paymentHash } = await world.invoice(world.buyer());
    world.pass(DAY);
    await world.run.payments.poll();
    world.node.settle(paymentHash, {}, true);
    world.node.habits.silent = true;
    await world.restart();
    await world.run.payments.recover();
    await world.run.payments.poll();
    world.node.habits.silent = false;
    await world.run.payments.poll();
    await isGranted();
    const { lookUp } = world.node.calls;
    await world.run.payments.poll();
    expect(world.node.calls.lookUp).toBe(lookUp);
  });
});

describe("buyers who poll", () => {
  it("make us ask about one invoice once a second, and about eight at once", async () => {
    const invoices = [];
    for (let buyer = 0; buyer < 12; buyer++) {
      invoices.push(await world.invoice(world.buyer(), { client: `client ${buyer}` }));
    }
    const verify = ({ paymentHash }: { paymentHash: string }) => world.run.lnurl.verify(paymentHash);
    await Promise.all(invoices.map(verify));
    expect(world.node.calls.lookUp).toBe(8);
    const [first] = invoices;
    if (!first) throw new Error("no invoice");
    for (let times = 0; times < 5; times++) await verify(first);
    expect(world.node.calls.lookUp).toBe(8);
    world.pass(1);
    await verify(first);
    expect(world.node.calls.lookUp).toBe(9);
  });
});

it("looks at short invoices more often, so that they are found paid or over within their life", () => {
  const lookMsOf = (invoiceSeconds: number) => timesFor({ invoiceSeconds, invoiceGraceSeconds: 0 }).lookMs;
  expect([600, 60, 30, 3].map(lookMsOf)).toEqual([10_000, 10_000, 5_000, 500]);
});
