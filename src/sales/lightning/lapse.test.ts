import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { GRACE_SECONDS, INVOICE_SECONDS } from "../../testing/lightning-till.ts";
import { createWorld, DAY, reasonOf, type World } from "../../testing/sales-world.ts";

const OVER = INVOICE_SECONDS + GRACE_SECONDS;
const WEEK = 7 * DAY;

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
const pinned = () => world.all("SELECT 1 FROM sessions").length;
const poll = () => world.run.payments.poll();
const settled = () => world.run.settlement.idle();

describe("an unpaid invoice", () => {
  it("keeps its address for its time and the grace, and not longer", async () => {
    const { paymentHash } = await world.invoice(world.buyer());
    world.pass(OVER - 1);
    await poll();
    expect([states(), pinned()]).toEqual([["invoiced"], 1]);
    world.pass(10);
    await poll();
    expect([sales(), pinned()]).toEqual([[{ state: "lapsed", session_id: null }], 0]);
    expect(world.node.isOpen(paymentHash)).toBe(false);
  });

  it("is cancelled first, so that no wallet pays for an address that is gone", async () => {
    await world.invoice(world.buyer());
    world.pass(OVER);
    await poll();
    expect(world.node.calls).toMatchObject({ cancel: 1, lookUp: 0 });
  });

  it("is asked about where the node cannot cancel, and served when it was paid at the last moment", async () => {
    world.node.habits.cancels = false;
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    world.pass(INVOICE_SECONDS - 1);
    world.node.settle(paymentHash);
    world.pass(GRACE_SECONDS + 1);
    await poll();
    await settled();
    expect(states()).toEqual(["granted"]);
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
  });

  it("that the node has paid is not cancelled by it, and served", async () => {
    const { paymentHash } = await world.invoice(world.buyer());
    world.node.settle(paymentHash);
    world.pass(OVER);
    await poll();
    await settled();
    expect(states()).toEqual(["granted"]);
  });

  it.each([true, false])("keeps its address while the node is silent (it cancels: %s)", async (cancels) => {
    world.node.habits.cancels = cancels;
    await world.invoice(world.buyer());
    world.node.habits.silent = true;
    world.pass(DAY);
    await poll();
    expect([states(), pinned()]).toEqual([["invoiced"], 1]);
    expect(world.node.calls).toMatchObject({ cancel: 1, lookUp: 0 });
    world.node.habits.silent = false;
    world.pass(10);
    await poll();
    expect([states(), pinned()]).toEqual([["lapsed"], 0]);
  });

  it("that the node does not know lapses in its time", async () => {
    world.node.habits.cancels = false;
    await world.invoice(world.buyer());
    world.node.forget();
    await poll();
    expect(states()).toEqual(["invoiced"]);
    world.pass(OVER);
    await poll();
    expect(states()).toEqual(["lapsed"]);
  });

  it("waits for its end by the wall clock, and is none the worse for a clock that went back", async () => {
    await world.invoice(world.buyer());
    world.time.seconds -= 3600;
    world.time.skewMs += OVER * 1000;
    await poll();
    expect(states()).toEqual(["invoiced"]);
    expect(world.run.vacancy.hasAddress()).toBe(true);
    world.time.seconds += 3600 + OVER;
    world.time.skewMs += 10_000;
    await poll();
    expect(states()).toEqual(["lapsed"]);
  });
});

describe("an invoice that nobody was given", () => {
  it("because the node was silent gives its address back at once", async () => {
    world.node.habits.silent = true;
    expect(await reasonOf(world.invoice(world.buyer()))).toBe("tunnel-unavailable");
    expect([states(), pinned()]).toEqual([["lapsed"], 0]);
  });

  it("because the book could not be written gives it back in its time, unasked", async () => {
    const release = world.node.holdInvoices();
    const asked = reasonOf(world.invoice(world.buyer()));
    await eventually(() => world.node.calls.makeInvoice === 1);
    world.run.book.pragma("query_only = ON");
    release();
    expect(await asked).toBe("tunnel-unavailable");
    world.run.book.pragma("query_only = OFF");
    await poll();
    expect([states(), pinned()]).toEqual([["invoicing"], 1]);
    world.node.habits.silent = true;
    world.pass(OVER);
    await poll();
    expect([states(), pinned()]).toEqual([["lapsed"], 0]);
  });

  it("gives it back at the next start, unasked", async () => {
    world.node.holdInvoices();
    void world.invoice(world.buyer()).catch(() => undefined);
    await eventually(() => world.node.calls.makeInvoice === 1);
    await world.restart();
    world.node.habits.silent = true;
    await world.run.payments.recover();
    expect([states(), pinned()]).toEqual([["lapsed"], 0]);
  });
});

describe("a lapsed invoice", () => {
  const late = async (buyer = world.buyer()) => {
    const { paymentHash } = await world.invoice(buyer);
    world.pass(OVER);
    await poll();
    return paymentHash;
  };
  const pay = (paymentHash: string) =>
    world.run.invoices.paid(
      "fake",
      { paymentHash, reference: undefined, receivedMsat: 100_000, feeMsat: 0 },
      undefined,
      world.time.seconds,
    ).kind;

  it("is honoured for seven days, and forgotten then", async () => {
    const [one, two] = [await late(), await late()];
    world.pass(WEEK - OVER - 1);
    await poll();
    expect(pay(one)).toBe("applied");
    await world.sweep(0);
    expect(states()).toEqual(["granted", "lapsed"]);
    world.pass(OVER + 1);
    await poll();
    expect(states()).toEqual(["granted"]);
    expect(pay(two)).toBe("foreign");
    expect(world.all("SELECT 1 FROM invoices")).toHaveLength(1);
    expect(await reasonOf(world.run.lnurl.verify(two))).toBe("not-found");
  });

  it("is forgotten sooner when there are ten thousand after it", async () => {
    const paymentHash = await late();
    world.run.book.exec(
      `CREATE TEMP TABLE later AS
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT sales.* FROM sales, n;
       UPDATE later SET sale_id = 'sale ' || rowid, released_at = released_at + 1;
       INSERT INTO sales SELECT * FROM later`,
    );
    await poll();
    expect(states()).toHaveLength(10_000);
    expect(world.run.invoices.find(paymentHash)).toBeDefined();
    await world.invoice(world.buyer());
    world.pass(OVER);
    await poll();
    expect(states()).toHaveLength(10_000);
    expect(world.run.invoices.find(paymentHash)).toBeUndefined();
  });
});

describe("with Lightning switched off", () => {
  it("invoices come to their end without a node, and are honoured when it is on again", async () => {
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    await world.restart();
    world.node.settle(paymentHash);
    const { lookUp, cancel } = world.node.calls;
    world.pass(OVER - 1);
    world.run.lapseUnasked();
    expect([states(), pinned()]).toEqual([["invoiced"], 1]);
    world.pass(1);
    world.run.lapseUnasked();
    expect([states(), pinned()]).toEqual([["lapsed"], 0]);
    expect(world.node.calls).toMatchObject({ lookUp, cancel });
    world.pass(3 * DAY);
    await world.restart();
    await world.run.payments.recover();
    await settled();
    expect(states()).toEqual(["granted"]);
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
  });

  it("they are forgotten after a week", async () => {
    await world.invoice(world.buyer());
    world.pass(OVER);
    world.run.lapseUnasked();
    world.pass(WEEK);
    world.run.lapseUnasked();
    expect(world.all("SELECT 1 FROM invoices")).toEqual([]);
    expect(states()).toEqual([]);
  });
});
