import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { INVOICE_SECONDS } from "../../testing/lightning-till.ts";
import { createWorld, DAY, reasonOf, type World } from "../../testing/sales-world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const states = () =>
  world.all<{ state: string }>("SELECT state FROM sales ORDER BY rowid").map((s) => s.state);

describe("a sale over Lightning", () => {
  it("comes up once its invoice is paid, for the time bought, counted from the grant", async () => {
    const buyer = world.buyer();
    const { paymentHash, preimage } = await world.invoice(buyer);
    expect(states()).toEqual(["invoiced"]);
    expect(await world.peerKeys()).toEqual([]);
    world.pass(100);
    world.node.settle(paymentHash);
    const { config, expiresAt } = await world.run.lnurl.config(paymentHash, preimage);
    expect(states()).toEqual(["granted"]);
    expect(expiresAt).toBe(world.time.seconds + DAY);
    expect(config).toContain(`# claim: https://vpn.test/lnurlp/config/${paymentHash}`);
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
  });

  it("gives its address back when the invoice's time is over, and is honoured when it was paid all the same", async () => {
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    world.pass(INVOICE_SECONDS + 120);
    await world.run.payments.poll();
    expect(states()).toEqual(["lapsed"]);
    expect(world.all("SELECT * FROM sessions")).toEqual([]);
    const payment = { paymentHash, reference: undefined, receivedMsat: 100_000, feeMsat: 0 };
    world.run.invoices.paid("fake", payment, 7, world.time.seconds);
    await world.sweep();
    expect(states()).toEqual(["granted"]);
    expect(await world.peerKeys()).toEqual([buyer.publicKey]);
  });

  it("refuses before there is an invoice", async () => {
    const buyer = world.buyer();
    expect(await reasonOf(world.invoice(buyer, { amount: "99000" }))).toBe("amount-mismatch");
    expect(await reasonOf(world.invoice(buyer, { comment: "" }))).toBe("no-client-pubkey");
    expect(await reasonOf(world.invoice(buyer, { tier: "week" }))).toBe("bad-price");
    expect(states()).toEqual([]);
  });
});
