import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import {
  type Cursor,
  type Invoice,
  type InvoiceOrder,
  type InvoiceState,
  type LightningNode,
  NodeError,
  type Payment,
} from "../sales/lightning/ports.ts";
import { encodeInvoice } from "./bolt11.ts";

export interface Stub extends LightningNode {
  /** Pays an open invoice, by default what it asks for. Throws when it is not open. */
  settle(paymentHash: string, amountMsat?: number): void;
}

export interface StubOptions {
  /** After how long an invoice is paid by itself; undefined: by `settle` only. */
  settleAfterMs: number | undefined;
  /** Unix seconds. */
  now: () => number;
}

interface Settlement {
  payment: Payment;
  cursor: Cursor;
}

interface StubInvoice {
  order: InvoiceOrder;
  invoice: Invoice;
  expiresAt: number;
  isCancelled: boolean;
  settlement: Settlement | undefined;
}

const DAY_SECONDS = 86_400;

/**
 * A node for trials and tests, in this process and in memory only: its invoices are real ones (BOLT11) for regtest,
 * and what they are paid with is worth nothing. It forgets an invoice a day after its expiry.
 */
export function createStub({ settleAfterMs, now }: StubOptions): Stub {
  const privateKey = secp256k1.utils.randomSecretKey();
  const made = new Map<string, StubInvoice>();
  const settlements = new EventEmitter();
  let lastCursor: Cursor = 0;

  function stateOf({ settlement, isCancelled, expiresAt }: StubInvoice): InvoiceState {
    if (settlement) return { kind: "paid", payment: settlement.payment };
    return isCancelled || now() >= expiresAt ? { kind: "closed" } : { kind: "open" };
  }

  function findOpen(paymentHash: string): StubInvoice | undefined {
    const found = made.get(paymentHash);
    return found && stateOf(found).kind === "open" ? found : undefined;
  }

  function settle(paymentHash: string, amountMsat?: number): void {
    const open = findOpen(paymentHash);
    if (!open) throw new Error("the invoice is not open");
    // Time is in it, so that it is above every cursor of an earlier process, which the book may hold.
    lastCursor = Math.max(lastCursor + 1, now() * 1000);
    const { reference, amountMsat: invoicedMsat } = open.order;
    const payment = { paymentHash, reference, receivedMsat: amountMsat ?? invoicedMsat, feeMsat: 0 };
    open.settlement = { payment, cursor: lastCursor };
    settlements.emit("new");
  }

  function settleLater(paymentHash: string): void {
    const timer = setTimeout(() => {
      if (findOpen(paymentHash)) settle(paymentHash);
    }, settleAfterMs);
    timer.unref();
  }

  function issue(order: InvoiceOrder, paymentHash: string): StubInvoice {
    const { preimage, amountMsat, descriptionHash, expirySeconds } = order;
    const timestamp = now();
    const bolt11 = encodeInvoice({
      paymentHash,
      amountMsat,
      descriptionHash,
      expirySeconds,
      timestamp,
      privateKey,
    });
    const issued = {
      order,
      invoice: { paymentHash, preimage, bolt11 },
      expiresAt: timestamp + expirySeconds,
      isCancelled: false,
      settlement: undefined,
    };
    made.set(paymentHash, issued);
    return issued;
  }

  function forgetOld(): void {
    for (const [paymentHash, { expiresAt }] of made) {
      if (now() >= expiresAt + DAY_SECONDS) made.delete(paymentHash);
    }
  }

  function settlementsAfter(cursor: Cursor): Settlement[] {
    return [...made.values()]
      .flatMap(({ settlement }) => (settlement && settlement.cursor > cursor ? [settlement] : []))
      .sort((a, b) => a.cursor - b.cursor);
  }

  return {
    kind: "stub",
    stepMsat: 1,
    settle,

    async makeInvoice(order) {
      forgetOld();
      const paymentHash = createHash("sha256").update(Buffer.from(order.preimage, "hex")).digest("hex");
      const known = made.get(paymentHash);
      if (known) return known.invoice;
      if (!Number.isSafeInteger(order.amountMsat) || order.amountMsat <= 0) {
        throw new NodeError("refused", "the amount of an invoice must be a whole number of msat above 0");
      }
      const { invoice } = issue(order, paymentHash);
      if (settleAfterMs !== undefined) settleLater(paymentHash);
      return invoice;
    },

    async lookUp(paymentHash) {
      const found = made.get(paymentHash);
      return found ? stateOf(found) : { kind: "missing" };
    },

    async cancel(paymentHash) {
      const found = made.get(paymentHash);
      if (!found || found.settlement) return false;
      found.isCancelled = true;
      return true;
    },

    async follow(cursor, report, signal) {
      let reached = cursor ?? lastCursor;
      while (!signal.aborted) {
        for (const settlement of settlementsAfter(reached)) {
          if (signal.aborted) return;
          report(settlement.payment, settlement.cursor);
          reached = settlement.cursor;
        }
        // An abort rejects; the loop sees it.
        await once(settlements, "new", { signal }).catch(() => undefined);
      }
    },

    async probe() {
      return undefined;
    },
  };
}
