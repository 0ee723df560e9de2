import { createHash } from "node:crypto";
import { utils } from "lnurl-pay";
import { expect, it } from "vitest";
import type { InvoiceState } from "../../sales/lightning/ports.ts";
import type { Scene } from "./node-scene.ts";

export function describeInvoices(scene: Scene): void {
  it.each([60, 600, 86_400])("asks for exactly what was ordered, for %d s", async (expirySeconds) => {
    const amountMsat = 12_345 * scene.node.stepMsat;
    const order = scene.order({ amountMsat, expirySeconds });
    const invoice = await scene.node.makeInvoice(order);
    const decoded = utils.decodeInvoice(invoice.bolt11);
    expect(decoded?.millisatoshis).toBe(String(amountMsat));
    expect(decoded?.tagsObject).toMatchObject({
      payment_hash: invoice.paymentHash,
      purpose_commit_hash: order.descriptionHash,
      expire_time: expirySeconds,
    });
  });

  it("gives the preimage of the payment hash", async () => {
    const { preimage, paymentHash } = await scene.make();
    expect(preimage).toMatch(/^[0-9a-f]{64}$/);
    expect(createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex")).toBe(paymentHash);
  });

  it("refuses an amount that it cannot ask for exactly, and makes nothing", async () => {
    const error = await scene.failure(scene.make({ amountMsat: 21.5 * scene.node.stepMsat }));
    expect(error.kind).toBe("refused");
    expect(scene.harness.invoiceCount()).toBe(0);
  });

  it("makes one invoice for one order, and another for another", async () => {
    const order = scene.order();
    const invoice = await scene.node.makeInvoice(order);
    expect(await scene.node.makeInvoice(order)).toEqual(invoice);
    expect(scene.harness.invoiceCount()).toBe(1);
    expect((await scene.make()).paymentHash).not.toBe(invoice.paymentHash);
    expect(scene.harness.invoiceCount()).toBe(2);
  });

  it("finds an order's invoice when it is paid or closed, too", async () => {
    const orders = [scene.order({ expirySeconds: 60 }), scene.order({ expirySeconds: 60 })] as const;
    const invoices = [
      await scene.node.makeInvoice(orders[0]),
      await scene.node.makeInvoice(orders[1]),
    ] as const;
    await scene.harness.pay(invoices[0].paymentHash);
    scene.harness.pass(61);
    expect(await scene.node.makeInvoice(orders[0])).toEqual(invoices[0]);
    expect(await scene.node.makeInvoice(orders[1])).toEqual(invoices[1]);
    expect(scene.harness.invoiceCount()).toBe(2);
  });

  it("says open, then paid with its sums, and stays so after expiry", async () => {
    const order = scene.order();
    const { paymentHash } = await scene.node.makeInvoice(order);
    expect(await scene.node.lookUp(paymentHash)).toEqual({ kind: "open" });
    await scene.harness.pay(paymentHash);
    const paid = await scene.node.lookUp(paymentHash);
    expect(sumOf(paid)).toBe(order.amountMsat);
    expect([undefined, order.reference]).toContain(paid.kind === "paid" ? paid.payment.reference : "");
    scene.harness.pass(601);
    expect(await scene.node.lookUp(paymentHash)).toEqual(paid);
  });

  it("says closed after expiry, and is not paid then", async () => {
    const { paymentHash } = await scene.make({ expirySeconds: 60 });
    scene.harness.pass(59);
    expect(await scene.node.lookUp(paymentHash)).toEqual({ kind: "open" });
    scene.harness.pass(2);
    expect(await scene.node.lookUp(paymentHash)).toEqual({ kind: "closed" });
    await expect(scene.harness.pay(paymentHash)).rejects.toThrow();
    expect(await scene.node.lookUp(paymentHash)).toEqual({ kind: "closed" });
  });

  it("says missing of a hash that it does not know", async () => {
    expect(await scene.node.lookUp("ab".repeat(32))).toEqual({ kind: "missing" });
  });

  it("is paid once", async () => {
    const hash = await scene.makePaid();
    const paid = await scene.node.lookUp(hash);
    await expect(scene.harness.pay(hash)).rejects.toThrow();
    expect(await scene.node.lookUp(hash)).toEqual(paid);
  });

  it("says the real sum when more was paid", async () => {
    const { paymentHash } = await scene.make();
    const amountMsat = 31 * scene.node.stepMsat;
    await scene.harness.pay(paymentHash, amountMsat);
    expect(sumOf(await scene.node.lookUp(paymentHash))).toBe(amountMsat);
  });

  it("is not paid by less, or says the real sum", async () => {
    const { paymentHash } = await scene.make();
    const amountMsat = 20 * scene.node.stepMsat;
    const isTaken = await scene.harness.pay(paymentHash, amountMsat).then(
      () => true,
      () => false,
    );
    const state = await scene.node.lookUp(paymentHash);
    if (isTaken) expect(sumOf(state)).toBe(amountMsat);
    else expect(state).toEqual({ kind: "open" });
  });

  it("is never paid once it is cancelled, and can be where the node says that it cannot cancel", async () => {
    const { paymentHash } = await scene.make();
    const isCancelled = await scene.node.cancel(paymentHash);
    expect(isCancelled).toBe(!scene.cannot("cancel"));
    expect(await scene.node.cancel(paymentHash)).toBe(isCancelled);
    const isPaid = await scene.harness.pay(paymentHash).then(
      () => true,
      () => false,
    );
    expect(isPaid).toBe(!isCancelled);
    expect((await scene.node.lookUp(paymentHash)).kind).toBe(isCancelled ? "closed" : "paid");
  });

  it("cancels what has expired, if it can cancel", async () => {
    const { paymentHash } = await scene.make({ expirySeconds: 60 });
    scene.harness.pass(61);
    expect(await scene.node.cancel(paymentHash)).toBe(!scene.cannot("cancel"));
    expect(await scene.node.lookUp(paymentHash)).toEqual({ kind: "closed" });
  });

  it("does not cancel what is paid", async () => {
    const hash = await scene.makePaid();
    expect(await scene.node.cancel(hash)).toBe(false);
    expect((await scene.node.lookUp(hash)).kind).toBe("paid");
  });
}

/** What the payer parted with; undefined of what is not paid. */
function sumOf(state: InvoiceState): number | undefined {
  return state.kind === "paid" ? state.payment.receivedMsat + state.payment.feeMsat : undefined;
}
