import type { Book } from "../../db/open-book.ts";

/** A lapsed invoice is honoured for so long, while it is among the last so many (rule 27). */
const KEEP_LAPSED_SECONDS = 7 * 86_400;
const MOST_LAPSED = 10_000;

/** What is to be asked about an invoice that is not paid. */
export interface UnpaidInvoice {
  saleId: string;
  state: "invoicing" | "invoiced" | "lapsed";
  paymentHash: string;
  expiresAt: number;
}

/** Invoices that are not paid, until they leave the book. */
export function createUnpaidStore(book: Book) {
  const unpaid = `SELECT sale_id AS saleId, state, payment_hash AS paymentHash, expires_at AS expiresAt
    FROM sales JOIN invoices USING (sale_id)`;
  const payable = book.prepare<[], UnpaidInvoice>(
    `${unpaid} WHERE state IN ('invoicing', 'invoiced') ORDER BY created_at, sales.rowid`,
  );
  const lapsed = book.prepare<[number], UnpaidInvoice>(
    `${unpaid} WHERE state = 'lapsed' ORDER BY released_at DESC, sales.rowid DESC LIMIT ?`,
  );
  const countPayable = book
    .prepare<[number], number>(
      `SELECT count(*) FROM invoices JOIN sales USING (sale_id)
         WHERE state IN ('invoicing', 'invoiced') AND expires_at > ?`,
    )
    .pluck();
  const lapsedBy = book
    .prepare<[number], string>("SELECT sale_id FROM sales WHERE state = 'lapsed' AND released_at <= ?")
    .pluck();
  const lapsedBeyond = book
    .prepare<[number], string>(
      "SELECT sale_id FROM sales WHERE state = 'lapsed' ORDER BY released_at DESC, rowid DESC LIMIT -1 OFFSET ?",
    )
    .pluck();
  const forgetInvoice = book.prepare("DELETE FROM invoices WHERE sale_id = ?");
  const forgetSale = book.prepare("DELETE FROM sales WHERE sale_id = ? AND state = 'lapsed'");

  function forget(now: number): void {
    for (const saleId of [...lapsedBy.all(now - KEEP_LAPSED_SECONDS), ...lapsedBeyond.all(MOST_LAPSED)]) {
      forgetInvoice.run(saleId);
      forgetSale.run(saleId);
    }
  }

  return {
    /** Everything that is to be paid, oldest first. */
    payable: () => payable.all(),
    /** What would be honoured if it were paid all the same, newest first. */
    lapsed: (most: number) => lapsed.all(most),
    /** How many that are to be paid end after `unixSeconds`. */
    countPayable: (unixSeconds: number) => countPayable.get(unixSeconds) ?? 0,
    /** Lapsed invoices leave the book after a week, the oldest sooner when they are too many. */
    forget: (now: number) => book.transaction(() => forget(now))(),
  };
}
