import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { GRACE_SECONDS, INVOICE_SECONDS } from "../../testing/lightning-till.ts";
import { addressIn, type Buyer, createWorld, DAY, reasonOf, type World } from "../../testing/sales-world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({ subnet: "10.9.0.0/30" });
});
afterEach(() => world.close());

const verify = (paymentHash: string) => world.run.lnurl.verify(paymentHash);
const config = (paymentHash: string, preimage: string) => world.run.lnurl.config(paymentHash, preimage);
const UNKNOWN = "ab".repeat(32);

async function paid(buyer: Buyer = world.buyer()) {
  const invoice = await world.invoice(buyer);
  world.node.settle(invoice.paymentHash);
  return invoice;
}

describe("verify", () => {
  it("says that an invoice is settled once it is, and its preimage not a moment before", async () => {
    const { paymentHash, preimage, answer } = await world.invoice(world.buyer());
    const unsettled = { status: "OK", settled: false, preimage: null, pr: answer.pr };
    expect(await verify(paymentHash)).toEqual(unsettled);
    world.pass(INVOICE_SECONDS + GRACE_SECONDS);
    expect(await verify(paymentHash)).toEqual(unsettled);
    await world.run.payments.poll();
    expect(await verify(paymentHash)).toEqual(unsettled);
    world.pass(2);
    world.node.settle(paymentHash, {}, true);
    expect(await verify(paymentHash)).toEqual({ ...unsettled, settled: true, preimage });
  });

  it("says so from the book when the node is silent", async () => {
    const { paymentHash, preimage } = await paid();
    world.node.habits.silent = true;
    expect(await verify(paymentHash)).toMatchObject({ settled: false, preimage: null });
    world.node.habits.silent = false;
    world.pass(2);
    await verify(paymentHash);
    world.node.habits.silent = true;
    expect(await verify(paymentHash)).toMatchObject({ settled: true, preimage });
  });

  it("knows the node's own preimage where that chooses it", async () => {
    world.node.habits.choosesPreimage = true;
    const { paymentHash } = await paid();
    const { preimage } = await verify(paymentHash);
    expect(preimage).not.toBeNull();
    await world.run.settlement.idle();
    expect((await config(paymentHash, preimage ?? "")).expiresAt).toBe(world.time.seconds + DAY);
  });

  it("knows no other invoice, nor one that the node is still asked for", async () => {
    expect(await reasonOf(verify(UNKNOWN))).toBe("not-found");
    world.node.holdInvoices();
    void world.invoice(world.buyer()).catch(() => undefined);
    await eventually(() => world.node.calls.makeInvoice === 1);
    const [row] = world.all<{ payment_hash: string }>("SELECT payment_hash FROM invoices");
    expect(await reasonOf(verify(row?.payment_hash ?? ""))).toBe("not-found");
  });

  it("asks to be repeated while the book cannot take the payment", async () => {
    const { paymentHash } = await paid();
    world.run.book.pragma("query_only = ON");
    expect(await reasonOf(verify(paymentHash))).toBe("tunnel-unavailable");
    world.run.book.pragma("query_only = OFF");
    world.pass(2);
    expect(await verify(paymentHash)).toMatchObject({ settled: true });
  });
});

describe("the .conf of a paid invoice", () => {
  it("is for who has the preimage, as often as he asks, and always as it is now", async () => {
    const buyer = world.buyer();
    const { paymentHash, preimage } = await paid(buyer);
    const first = await config(paymentHash, preimage);
    expect(first.expiresAt).toBe(world.time.seconds + DAY);
    expect(await config(paymentHash, preimage)).toEqual(first);
    const more = await paid(buyer);
    const longer = await config(more.paymentHash, more.preimage);
    expect(longer.expiresAt).toBe(world.time.seconds + 2 * DAY);
    const again = await config(paymentHash, preimage);
    expect(again.expiresAt).toBe(longer.expiresAt);
    expect(again.config).toContain(`# claim: https://vpn.test/lnurlp/config/${paymentHash}\n`);
  });

  it.each([
    ["the wrong preimage", "cd".repeat(32)],
    ["its own hash", undefined],
  ])("is not for %s", async (_, preimage) => {
    const { paymentHash } = await paid();
    const refused = await config(paymentHash, preimage ?? paymentHash).catch((error: unknown) => error);
    expect(refused).toMatchObject({ reason: "bad-request", inAuthorization: true });
    expect(world.node.calls.lookUp).toBe(0);
  });

  it("is there for no invoice that is unknown, or unpaid, or lapsed", async () => {
    const { paymentHash, preimage } = await world.invoice(world.buyer());
    expect(await reasonOf(config(UNKNOWN, preimage))).toBe("not-found");
    expect(await reasonOf(config(paymentHash, preimage))).toBe("payment-required");
    world.pass(INVOICE_SECONDS + GRACE_SECONDS);
    await world.run.payments.poll();
    expect(await reasonOf(config(paymentHash, preimage))).toBe("payment-required");
    world.pass(7 * DAY);
    await world.run.payments.poll();
    expect(await reasonOf(config(paymentHash, preimage))).toBe("not-found");
  });

  it("is waited for while it is owed, and comes with the address that it has got", async () => {
    const { paymentHash, preimage, answer } = await world.invoice(world.buyer());
    expect(answer.pr).toContain(paymentHash);
    const tenant = world.buyer();
    await world.buy(tenant, world.mint.issue([100]));
    world.node.settle(paymentHash);
    expect(await reasonOf(config(paymentHash, preimage))).toBe("tunnel-unavailable");
    expect(world.all("SELECT state FROM sales WHERE method = 'lightning'")).toEqual([{ state: "owed" }]);
    await world.sweep(DAY);
    await world.sweep(301);
    const { expiresAt, config: conf } = await config(paymentHash, preimage);
    expect(expiresAt).toBe(world.time.seconds + DAY);
    expect(addressIn({ config: conf, expiresAt })).toBe("10.9.0.2");
  });

  it("is waited for while the interface is down, and costs no time", async () => {
    const { paymentHash, preimage } = await paid();
    world.wireguard.takeDown();
    expect(await reasonOf(config(paymentHash, preimage))).toBe("tunnel-unavailable");
    world.wireguard.bringUp();
    await world.sweep(3600);
    expect((await config(paymentHash, preimage)).expiresAt).toBe(world.time.seconds + DAY);
  });

  it("is gone once its tunnel has ended", async () => {
    const { paymentHash, preimage } = await paid();
    await config(paymentHash, preimage);
    await world.sweep(DAY);
    expect(await reasonOf(config(paymentHash, preimage))).toBe("double-spent");
    expect(await verify(paymentHash)).toMatchObject({ settled: true, preimage });
  });
});
