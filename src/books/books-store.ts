import type { Book } from "../db/open-book.ts";
import type { EcashSale, LightningSale } from "../sales/sale.ts";
import type { BookedRefund } from "./refunds.ts";

/** A sale with what the book says of its money. Times in unix seconds. */
export type BookedSale = BookedEcashSale | BookedLightningSale;

export interface BookedEcashSale extends BookedTunnel {
  method: "cashu";
  state: EcashSale["state"];
  mintUrl: string;
  feeSat: number;
  /** What the mint gave, as it was counted when it came. */
  receivedSat: number;
  /** Its mint answered wrongly: what lacks is a booked loss. */
  isFlawed: boolean;
  /** The proofs that came of it, spent or not. */
  proofSat: number;
  /** Input proofs that it claims. */
  inputs: number;
}

export interface BookedLightningSale extends BookedTunnel {
  method: "lightning";
  state: LightningSale["state"];
  /** Null for an older daemon's invoice. */
  requestedMsat: number | null;
  /** Null until it is paid. */
  receivedMsat: number | null;
  /** What the node kept. */
  nodeFeeMsat: number | null;
}

interface BookedTunnel {
  saleId: string;
  faceSat: number;
  sessionId: string | null;
  hasSession: boolean;
  createdAt: number;
  paidAt: number | null;
  grantedAt: number | null;
}

export interface BookedProof {
  y: string;
  mintUrl: string;
  amountSat: number;
  isSpent: boolean;
  /** Unspent as far as is known, and no relay has acknowledged an event with it. */
  inOutbox: boolean;
}

/** Sales that the book has forgotten, summed up by where they were paid. */
export type FoldedSales = FoldedSums & ({ method: "cashu" } | { method: "lightning" });

interface FoldedSums {
  /** Empty over Lightning. */
  mintUrl: string;
  sales: number;
  faceSat: number;
  feeSat: number;
  receivedSat: number;
  lossSat: number;
  requestedMsat: number;
  receivedMsat: number;
  nodeFeeMsat: number;
  overpaidMsat: number;
  shortMsat: number;
}

/** What the book has forgotten, in sums. */
export interface Folded {
  sales: readonly FoldedSales[];
  /** Spent proofs of such sales that are forgotten too, by mint. */
  spent: readonly { mintUrl: string; spentSat: number }[];
}

export type BooksStore = ReturnType<typeof createBooksStore>;

export function createBooksStore(book: Book) {
  const tunnel = `sale_id AS saleId, method, state, face_sat AS faceSat, session_id AS sessionId,
    EXISTS (SELECT 1 FROM sessions WHERE sessions.session_id = sales.session_id) AS hasSession,
    created_at AS createdAt, paid_at AS paidAt, granted_at AS grantedAt`;
  const ecash = book.prepare<[], WithFlags<BookedEcashSale>>(
    `SELECT ${tunnel}, mint_url AS mintUrl, fee_sat AS feeSat, received_sat AS receivedSat,
       flaw IS NOT NULL AS isFlawed,
       (SELECT coalesce(sum(amount_sat), 0) FROM proofs WHERE proofs.sale_id = sales.sale_id) AS proofSat,
       (SELECT count(*) FROM sale_inputs WHERE sale_inputs.sale_id = sales.sale_id) AS inputs
     FROM sales WHERE method = 'cashu' ORDER BY created_at, rowid`,
  );
  // Invoices that nobody has paid are no part of the books.
  const lightning = book.prepare<[], WithFlags<BookedLightningSale>>(
    `SELECT ${tunnel}, requested_msat AS requestedMsat, received_msat AS receivedMsat, fee_msat AS nodeFeeMsat
     FROM sales LEFT JOIN invoices USING (sale_id)
     WHERE method = 'lightning' AND (state NOT IN ('invoicing', 'invoiced', 'lapsed') OR received_msat IS NOT NULL)
     ORDER BY created_at, sales.rowid`,
  );
  const proofs = book.prepare<[], WithFlags<BookedProof>>(
    `SELECT y, mint_url AS mintUrl, amount_sat AS amountSat, spent_at IS NOT NULL AS isSpent,
       spent_at IS NULL AND (event_id IS NULL OR (acknowledged_at IS NULL AND withdrawn_at IS NULL)) AS inOutbox
     FROM proofs LEFT JOIN wallet_events USING (event_id)`,
  );
  const foldedSales = book.prepare<[], FoldedSales>(
    `SELECT method, mint_url AS mintUrl, sum(sales) AS sales, sum(face_sat) AS faceSat, sum(fee_sat) AS feeSat,
       sum(received_sat) AS receivedSat, sum(loss_sat) AS lossSat, sum(requested_msat) AS requestedMsat,
       sum(received_msat) AS receivedMsat, sum(node_fee_msat) AS nodeFeeMsat, sum(overpaid_msat) AS overpaidMsat,
       sum(short_msat) AS shortMsat
     FROM folded_sales GROUP BY method, mint_url`,
  );
  const foldedSpent = book.prepare<[], Folded["spent"][number]>(
    "SELECT mint_url AS mintUrl, spent_sat AS spentSat FROM folded_proofs",
  );
  const refunds = book.prepare<[], WithFlags<BookedRefund>>(
    `SELECT refund_id AS refundId, state, face_sat AS faceSat, fee_sat AS feeSat, given_sat AS givenSat,
       flaw IS NOT NULL AS isFlawed, token IS NOT NULL AS hasToken,
       (SELECT count(*) FROM refund_inputs WHERE refund_inputs.refund_id = refunds.refund_id) AS inputs
     FROM refunds WHERE state <> 'released' ORDER BY created_at`,
  );
  return {
    folded: (): Folded => ({ sales: foldedSales.all(), spent: foldedSpent.all() }),
    refunds: (): BookedRefund[] =>
      refunds.all().map((row) => ({ ...row, isFlawed: row.isFlawed === 1, hasToken: row.hasToken === 1 })),
    sales: (): BookedSale[] => [
      ...ecash
        .all()
        .map((row) => ({ ...row, isFlawed: row.isFlawed === 1, hasSession: row.hasSession === 1 })),
      ...lightning.all().map((row) => ({ ...row, hasSession: row.hasSession === 1 })),
    ],
    proofs: (): BookedProof[] =>
      proofs.all().map((row) => ({ ...row, isSpent: row.isSpent === 1, inOutbox: row.inOutbox === 1 })),
  };
}

/** SQLite has no booleans. */
type WithFlags<Row> = { [Name in keyof Row]: Row[Name] extends boolean ? number : Row[Name] };
