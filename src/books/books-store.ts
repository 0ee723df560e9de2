import type { Book } from "../db/open-book.ts";

export type SaleState = "swapping" | "paid" | "owed" | "granted" | "released";

/** A sale with what the book says of its money. Sums in sat, times in unix seconds. */
export interface BookedSale {
  saleId: string;
  state: SaleState;
  mintUrl: string;
  faceSat: number;
  feeSat: number;
  /** What the mint gave, as it was counted when it came. */
  receivedSat: number;
  /** Its mint answered wrongly: what lacks is a booked loss. */
  isFlawed: boolean;
  /** The proofs that came of it, spent or not. */
  proofSat: number;
  /** Input proofs that it claims. */
  inputs: number;
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

export type BooksStore = ReturnType<typeof createBooksStore>;

export function createBooksStore(book: Book) {
  const sales = book.prepare<[], SaleRow>(
    `SELECT sale_id AS saleId, state, mint_url AS mintUrl, face_sat AS faceSat, fee_sat AS feeSat,
       received_sat AS receivedSat, flaw IS NOT NULL AS isFlawed,
       (SELECT coalesce(sum(amount_sat), 0) FROM proofs WHERE proofs.sale_id = sales.sale_id) AS proofSat,
       (SELECT count(*) FROM sale_inputs WHERE sale_inputs.sale_id = sales.sale_id) AS inputs,
       session_id AS sessionId,
       EXISTS (SELECT 1 FROM sessions WHERE sessions.session_id = sales.session_id) AS hasSession,
       created_at AS createdAt, paid_at AS paidAt, granted_at AS grantedAt
     FROM sales ORDER BY created_at, rowid`,
  );
  const proofs = book.prepare<[], ProofRow>(
    `SELECT y, mint_url AS mintUrl, amount_sat AS amountSat, spent_at IS NOT NULL AS isSpent,
       spent_at IS NULL AND (event_id IS NULL OR (acknowledged_at IS NULL AND withdrawn_at IS NULL)) AS inOutbox
     FROM proofs LEFT JOIN wallet_events USING (event_id)`,
  );
  return {
    sales: (): BookedSale[] =>
      sales.all().map((row) => ({ ...row, isFlawed: row.isFlawed === 1, hasSession: row.hasSession === 1 })),
    proofs: (): BookedProof[] =>
      proofs.all().map((row) => ({ ...row, isSpent: row.isSpent === 1, inOutbox: row.inOutbox === 1 })),
  };
}

type SaleRow = Omit<BookedSale, "isFlawed" | "hasSession"> & { isFlawed: number; hasSession: number };
type ProofRow = Omit<BookedProof, "isSpent" | "inOutbox"> & { isSpent: number; inOutbox: number };
