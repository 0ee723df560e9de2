import { describe, expect, it } from "vitest";
import type { InvoiceOrder } from "../sales/lightning/ports.ts";
import { eventually } from "../testing/eventually.ts";
import { describeNode } from "../testing/lightning/node-contract.ts";
import { createStubHarness } from "../testing/lightning/stub-harness.ts";
import { createStub } from "./stub.ts";

describeNode("the stub", async () => createStubHarness());

const DAY = 86_400;

describe("the stub", () => {
  let seconds = 1_700_000_000;
  const now = () => seconds;

  function order(changes: Partial<InvoiceOrder> = {}): InvoiceOrder {
    return {
      reference: "ab",
      preimage: "12".repeat(32),
      amountMsat: 21_000,
      descriptionHash: "34".repeat(32),
      expirySeconds: 600,
      ...changes,
    };
  }

  it("pays an invoice by itself, when it is told to", async () => {
    const stub = createStub({ settleAfterMs: 1, now });
    const { paymentHash } = await stub.makeInvoice(order());
    await eventually(async () => (await stub.lookUp(paymentHash)).kind === "paid");
  });

  it("pays nothing that was cancelled before", async () => {
    const stub = createStub({ settleAfterMs: 1, now });
    const cancelled = await stub.makeInvoice(order());
    await stub.cancel(cancelled.paymentHash);
    const later = await stub.makeInvoice(order({ preimage: "56".repeat(32) }));
    await eventually(async () => (await stub.lookUp(later.paymentHash)).kind === "paid");
    expect((await stub.lookUp(cancelled.paymentHash)).kind).toBe("closed");
  });

  it("forgets an invoice a day after its expiry", async () => {
    const stub = createStub({ settleAfterMs: undefined, now });
    const { paymentHash } = await stub.makeInvoice(order());
    seconds += 600 + DAY - 1;
    await stub.makeInvoice(order({ preimage: "56".repeat(32) }));
    expect((await stub.lookUp(paymentHash)).kind).toBe("closed");
    seconds += 1;
    await stub.makeInvoice(order({ preimage: "78".repeat(32) }));
    expect((await stub.lookUp(paymentHash)).kind).toBe("missing");
  });

  it("reports to a book that knows a former stub", async () => {
    const former = createStub({ settleAfterMs: undefined, now });
    const cursors: number[] = [];
    const stopping = new AbortController();
    const following = former.follow(undefined, (_payment, cursor) => cursors.push(cursor), stopping.signal);
    for (const preimage of ["12", "34", "56"]) {
      const { paymentHash } = await former.makeInvoice(order({ preimage: preimage.repeat(32) }));
      former.settle(paymentHash);
    }
    await eventually(() => cursors.length === 3);
    stopping.abort();
    await following;

    seconds += 1;
    const stub = createStub({ settleAfterMs: undefined, now });
    const { paymentHash } = await stub.makeInvoice(order());
    stub.settle(paymentHash);
    const heard: string[] = [];
    const enough = new AbortController();
    await stub.follow(
      cursors.at(-1),
      (payment) => {
        heard.push(payment.paymentHash);
        enough.abort();
      },
      enough.signal,
    );
    expect(heard).toEqual([paymentHash]);
  });

  it("asks for no amount that is none", async () => {
    const stub = createStub({ settleAfterMs: undefined, now });
    for (const amountMsat of [0, -1, 1.5]) {
      await expect(stub.makeInvoice(order({ amountMsat }))).rejects.toMatchObject({ kind: "refused" });
    }
  });
});
