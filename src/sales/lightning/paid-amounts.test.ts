import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWorld, DAY, type World } from "../../testing/sales-world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({
    prices: [
      { amount: 100, currency: "sat", unit: "day" },
      { amount: 50, currency: "sat", unit: "GiB" },
    ],
    maxPurchase: { amount: 2, unit: "day" },
  });
});
afterEach(() => world.close());

interface BoughtRow {
  bought_seconds: number;
  bought_bytes: number;
  received_msat: number;
  fee_msat: number;
}

async function boughtFor(
  amount: string,
  paid: { receivedMsat?: number; feeMsat?: number },
  tier = "day",
): Promise<BoughtRow | undefined> {
  const { paymentHash } = await world.invoice(world.buyer(), { amount, tier });
  world.node.settle(paymentHash, paid);
  world.pass(10);
  await world.run.payments.poll();
  await world.run.settlement.idle();
  const [row] = world.all<BoughtRow & { state: string }>(
    "SELECT * FROM sales JOIN invoices USING (sale_id) ORDER BY sales.rowid DESC LIMIT 1",
  );
  expect(row?.state).toBe("granted");
  return row;
}

describe("what was paid for an invoice of 100 sat", () => {
  it.each([
    ["exactly", {}, DAY],
    ["half as much again: pro rata", { receivedMsat: 150_000 }, 1.5 * DAY],
    ["a msat more: whole seconds, rounded down", { receivedMsat: 100_001 }, DAY],
    ["ten times as much, beyond the most that one may buy", { receivedMsat: 1_000_000 }, 10 * DAY],
    ["less, since the node kept a fee", { receivedMsat: 60_000, feeMsat: 40_000 }, DAY],
    [
      "less, since the node kept a fee and tells a smaller one",
      { receivedMsat: 60_000, feeMsat: 1_000 },
      DAY,
    ],
    ["more, of which the node kept a fee", { receivedMsat: 150_000, feeMsat: 50_000 }, 2 * DAY],
    ["nothing, says the node that calls it paid", { receivedMsat: 0 }, DAY],
  ])("%s", async (_, paid, seconds) => {
    const row = await boughtFor("100000", paid);
    expect(row).toMatchObject({
      bought_seconds: seconds,
      bought_bytes: 0,
      received_msat: "receivedMsat" in paid ? paid.receivedMsat : 100_000,
      fee_msat: "feeMsat" in paid ? paid.feeMsat : 0,
    });
  });

  it("in a tier that sells data buys bytes, pro rata", async () => {
    const row = await boughtFor("50000", { receivedMsat: 75_000 }, "GiB");
    expect(row).toMatchObject({ bought_seconds: 0, bought_bytes: 1.5 * 2 ** 30 });
  });

  it("at the price of the order, whatever the price is by then", async () => {
    const { paymentHash } = await world.invoice(world.buyer());
    world.settings.prices = [{ amount: 1000, currency: "sat", unit: "day" }];
    await world.restart();
    world.node.settle(paymentHash, { receivedMsat: 200_000 });
    await world.run.payments.recover();
    await world.run.settlement.idle();
    expect(world.all("SELECT state, bought_seconds FROM sales")).toEqual([
      { state: "granted", bought_seconds: 2 * DAY },
    ]);
  });
});

describe("an amount of msat", () => {
  it("that is no whole sat buys pro rata where the node can ask for it", async () => {
    const row = await boughtFor("100500", {});
    expect(row?.bought_seconds).toBe(86_832);
  });
});
