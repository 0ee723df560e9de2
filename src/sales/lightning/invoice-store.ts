import { randomUUID } from "node:crypto";
import { boundary } from "../../boundary.ts";
import type { Book } from "../../db/open-book.ts";
import { type Bought, bought, type Price } from "../../protocol/price.ts";
import type { SessionStore } from "../../tunnels/session-store.ts";
import type { GrantStore } from "../grant-store.ts";
import type { ReservationStore } from "../reservation-store.ts";
import type { LightningSale } from "../sale.ts";
import { createCursorStore } from "./cursor-store.ts";
import type { Cursor, Invoice, Payment } from "./ports.ts";
import { createUnpaidStore } from "./unpaid-store.ts";

export type InvoiceStore = ReturnType<typeof createInvoiceStore>;

/** A checked order, to be written down before the node is asked. */
export interface NewInvoice {
  price: Price;
  bought: Bought;
  dTag: string;
  keyHash: string;
  clientKey: string;
  amountMsat: number;
  /** Ours; a node that chooses its own gives another. */
  preimage: string;
  paymentHash: string;
  descriptionHash: string;
  expiresAt: number;
}

export interface BookedInvoice {
  sale: LightningSale;
  paymentHash: string;
  /** Null only for an older daemon's invoice, as is `bolt11`, which also lacks while the node is being asked. */
  preimage: string | null;
  bolt11: string | null;
  requestedMsat: number | null;
  descriptionHash: string | null;
  expiresAt: number;
}

interface InvoiceRow {
  sale_id: string;
  payment_hash: string;
  preimage: string | null;
  bolt11: string | null;
  requested_msat: number | null;
  description_hash: string | null;
  expires_at: number;
}

/** `foreign`: a payment to the node that no invoice of ours asked for. */
export type Taken = { kind: "applied"; saleId: string } | { kind: "replayed" } | { kind: "foreign" };

/**
 * Sales over Lightning in the book, up to their payment. Each verb is one transaction and names one arrow of the state
 * diagram; a verb whose state has passed already changes nothing.
 */
export function createInvoiceStore(
  book: Book,
  sessions: SessionStore,
  grants: GrantStore,
  reservations: ReservationStore,
) {
  const cursors = createCursorStore(book);
  const insertSale = book.prepare(
    `INSERT INTO sales (sale_id, state, method, face_sat, fee_sat, price_amount, price_currency, price_unit,
       rate_mbit, bought_seconds, bought_bytes, listing_d_tag, buyer_hash, key_hash, client_key, session_id, created_at)
     VALUES (?, 'invoicing', 'lightning', ?, 0, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?)`,
  );
  const insertInvoice = book.prepare(
    `INSERT INTO invoices (sale_id, payment_hash, preimage, requested_msat, description_hash, expires_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const byHash = book.prepare<[string], InvoiceRow>("SELECT * FROM invoices WHERE payment_hash = ?");
  const byReference = book.prepare<[string], InvoiceRow>("SELECT * FROM invoices WHERE sale_id = ?");
  const writeAnswer = book.prepare(
    "UPDATE invoices SET payment_hash = ?, preimage = ?, bolt11 = ? WHERE sale_id = ? AND bolt11 IS NULL",
  );
  const setInvoiced = book.prepare(
    "UPDATE sales SET state = 'invoiced' WHERE sale_id = ? AND state = 'invoicing'",
  );
  const setSession = book.prepare("UPDATE sales SET session_id = ? WHERE sale_id = ?");
  const setLapsed = book.prepare(
    `UPDATE sales SET state = 'lapsed', session_id = NULL, released_at = ?
       WHERE sale_id = ? AND state IN ('invoicing', 'invoiced')`,
  );
  const setPaid = book.prepare(
    `UPDATE sales SET state = 'paid', paid_at = ?, bought_seconds = ?, bought_bytes = ?
       WHERE sale_id = ? AND state IN ('invoicing', 'invoiced', 'lapsed')`,
  );
  const writePayment = book.prepare("UPDATE invoices SET received_msat = ?, fee_msat = ? WHERE sale_id = ?");
  const ofKey = book.prepare<[string, number], InvoiceRow>(
    `SELECT invoices.* FROM invoices JOIN sales USING (sale_id)
       WHERE state IN ('invoicing', 'invoiced') AND key_hash = ? AND expires_at > ?`,
  );

  function toBooked(row: InvoiceRow): BookedInvoice {
    const sale = grants.mustFind(row.sale_id);
    if (sale.method !== "lightning") throw new Error("the book has an invoice for a sale over ecash");
    return {
      sale,
      paymentHash: row.payment_hash,
      preimage: row.preimage,
      bolt11: row.bolt11,
      requestedMsat: row.requested_msat,
      descriptionHash: row.description_hash,
      expiresAt: row.expires_at,
    };
  }

  function open(invoice: NewInvoice, now: number): string | undefined {
    const { price, bought: quantity, dTag, keyHash, clientKey, amountMsat } = invoice;
    const first = { price, method: "lightning", dTag };
    const sessionId = reservations.reserveUnpaid(clientKey, first, now);
    if (sessionId === undefined) return undefined;
    const saleId = randomUUID();
    const { amount, currency, unit, rateMbit } = price;
    const faceSat = Math.floor(amountMsat / 1000);
    const { seconds, bytes } = quantity;
    insertSale.run(
      saleId,
      faceSat,
      amount,
      currency,
      unit,
      rateMbit ?? null,
      seconds,
      bytes,
      dTag,
      keyHash,
      clientKey,
      sessionId,
      now,
    );
    const { paymentHash, preimage, descriptionHash, expiresAt } = invoice;
    insertInvoice.run(saleId, paymentHash, preimage, amountMsat, descriptionHash, expiresAt);
    return saleId;
  }

  /** An address that yielded to somebody while the node was asked is made good by another. */
  function invoiced(saleId: string, { paymentHash, preimage, bolt11 }: Invoice, now: number): void {
    writeAnswer.run(paymentHash, preimage, bolt11, saleId);
    if (setInvoiced.run(saleId).changes === 0) return;
    const { sessionId, clientKey, price, dTag } = grants.mustFind(saleId);
    if (sessionId !== null || clientKey === null) return;
    setSession.run(
      reservations.reserveUnpaid(clientKey, { price, method: "lightning", dTag }, now) ?? null,
      saleId,
    );
  }

  function lapse(saleId: string, now: number): void {
    const { sessionId } = grants.mustFind(saleId);
    if (setLapsed.run(now, saleId).changes === 0) return;
    boundary("within-lapsed");
    if (sessionId !== null) sessions.unpin(sessionId, now);
  }

  function paid(payment: Payment, now: number): Taken {
    const row = byHash.get(payment.paymentHash) ?? byReference.get(payment.reference ?? "");
    if (!row) return { kind: "foreign" };
    const { sale, requestedMsat } = toBooked(row);
    const { seconds, bytes } = boughtBy(payment, requestedMsat, sale);
    if (setPaid.run(now, seconds, bytes, sale.saleId).changes === 0) return { kind: "replayed" };
    boundary("within-payment");
    writePayment.run(payment.receivedMsat, payment.feeMsat, sale.saleId);
    return { kind: "applied", saleId: sale.saleId };
  }

  return {
    /** checks → invoicing: sale, preimage and, for a while, an address. Undefined: every address is a payer's. */
    open: (invoice: NewInvoice, now: number) => book.transaction(() => open(invoice, now)).immediate(),
    /** invoicing → invoiced: the node's answer is in the book, and may be given out. */
    invoiced: (saleId: string, invoice: Invoice, now: number) =>
      book.transaction(() => invoiced(saleId, invoice, now)).immediate(),
    /** invoicing | invoiced → lapsed: the address is free, the invoice still honoured. */
    lapse: (saleId: string, now: number) => book.transaction(() => lapse(saleId, now)).immediate(),
    /**
     * invoicing | invoiced | lapsed → paid, however often it is reported; with the cursor that the report came with,
     * so that what was seen is what is in the book.
     */
    paid: (node: string, payment: Payment, cursor: Cursor | undefined, now: number) =>
      book
        .transaction(() => {
          if (cursor !== undefined) cursors.advance(node, cursor);
          return paid(payment, now);
        })
        .immediate(),
    cursor: cursors.get,
    ...createUnpaidStore(book),
    find: (paymentHash: string): BookedInvoice | undefined => {
      const row = byHash.get(paymentHash);
      return row && toBooked(row);
    },
    /** Throws for a sale that has no invoice in the book. */
    mustFind: (saleId: string): BookedInvoice => {
      const row = byReference.get(saleId);
      if (!row) throw new Error("the book has lost an invoice that it names");
      return toBooked(row);
    },
    /** One WireGuard key's invoices that are to be paid and end after `unixSeconds`. */
    ofKey: (keyHash: string, unixSeconds: number) => ofKey.all(keyHash, unixSeconds).map(toBooked),
  };
}

/** Never less than was invoiced because the node kept a fee; more when more was paid (rule 24). */
function boughtBy(
  { receivedMsat, feeMsat }: Payment,
  requestedMsat: number | null,
  sale: LightningSale,
): Bought {
  const paidMsat = receivedMsat + feeMsat;
  if (requestedMsat === null || paidMsat <= requestedMsat) return sale.bought;
  return bought(paidMsat / 1000, sale.price);
}
