import type { InvoiceStore } from "./invoice-store.ts";

interface UnaskedParts {
  store: InvoiceStore;
  /** How long beyond its end an unpaid invoice keeps its address. */
  graceSeconds: number;
  now: () => number;
}

/**
 * The invoices of an operator who has switched Lightning off: there is no node to ask, and their time ends all the
 * same. What was paid is honoured when Lightning is on again, since a start asks about lapsed invoices too.
 */
export function createUnaskedLapse({ store, graceSeconds, now }: UnaskedParts): () => void {
  return () => {
    for (const { saleId, expiresAt } of store.payable()) {
      if (now() >= expiresAt + graceSeconds) store.lapse(saleId, now());
    }
    store.forget(now());
  };
}
