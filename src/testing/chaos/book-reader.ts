import { existsSync } from "node:fs";
import Database from "better-sqlite3";

/** What the operator's book says, read from its file by somebody else than the daemon. */
export interface BookAsRead {
  sales: SaleAsRead[];
  invoices: InvoiceAsRead[];
  sessions: SessionAsRead[];
  proofs: { secret: string; amountSat: number }[];
}

export interface SaleAsRead {
  state: string;
  faceSat: number;
  feeSat: number;
  sessionId: string | null;
  grantedAt: number | null;
  boughtSeconds: number;
  /** Y of each input that it claims. */
  ys: string[];
}

/** A sale over Lightning, beside what it is as a sale. */
export interface InvoiceAsRead {
  paymentHash: string;
  state: string;
  boughtSeconds: number;
  boughtBytes: number;
  /** Null while it is not paid. */
  receivedMsat: number | null;
  feeMsat: number | null;
}

export interface SessionAsRead {
  sessionId: string;
  publicKey: string;
  address: string;
  status: string;
  timeUntil: number | null;
  quotaBytes: number | null;
}

export function readBook(path: string): BookAsRead {
  return reading(path, (book) => {
    const inputs = book.prepare("SELECT sale_id, y FROM sale_inputs").all() as {
      sale_id: string;
      y: string;
    }[];
    const ysBySale = new Map<string, string[]>();
    for (const { sale_id, y } of inputs) ysBySale.set(sale_id, [...(ysBySale.get(sale_id) ?? []), y]);
    const sales = book
      .prepare(
        `SELECT sale_id AS saleId, state, face_sat AS faceSat, fee_sat AS feeSat, session_id AS sessionId,
           granted_at AS grantedAt, bought_seconds AS boughtSeconds FROM sales`,
      )
      .all() as (Omit<SaleAsRead, "ys"> & { saleId: string })[];
    return {
      sales: sales.map((sale) => ({ ...sale, ys: ysBySale.get(sale.saleId) ?? [] })),
      invoices: book
        .prepare(
          `SELECT payment_hash AS paymentHash, state, bought_seconds AS boughtSeconds, bought_bytes AS boughtBytes,
             received_msat AS receivedMsat, fee_msat AS feeMsat FROM invoices JOIN sales USING (sale_id)`,
        )
        .all() as InvoiceAsRead[],
      sessions: book
        .prepare(
          `SELECT session_id AS sessionId, client_identity AS publicKey, assigned_ip AS address, status,
             time_until AS timeUntil, data_quota_bytes AS quotaBytes FROM sessions JOIN session_terms USING (session_id)`,
        )
        .all() as SessionAsRead[],
      proofs: book
        .prepare("SELECT secret, amount_sat AS amountSat FROM proofs")
        .all() as BookAsRead["proofs"],
    };
  });
}

export interface Unfinished {
  swapping: number;
  paid: number;
  owed: number;
  /** That may be paid, or are asked about. */
  invoices: number;
  /** Proofs in no wallet event, and events with proofs that no relay has acknowledged. */
  walletWaiting: number;
  liveSessions: number;
}

const NOTHING: Unfinished = { swapping: 0, paid: 0, owed: 0, invoices: 0, walletWaiting: 0, liveSessions: 0 };
/** Tells of proofs, holds none, and gives way to those that do. */
const HISTORY_KIND = 7376;

/** Where the daemon has followed its node to, if it has. */
export function hasCursor(path: string): boolean {
  return reading(path, (book) => book.prepare("SELECT 1 FROM node_cursors").get() !== undefined);
}

/** What a daemon that ended, or runs, has not brought to rest. One that was killed before it made its book: nothing. */
export function readUnfinished(path: string): Unfinished {
  if (!existsSync(path)) return NOTHING;
  try {
    return reading(path, countUnfinished);
  } catch (error) {
    // Made, but not to its end: SQLite would roll that back, and may not when it only reads.
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_READONLY")) return NOTHING;
    throw error;
  }
}

function countUnfinished(book: Database.Database): Unfinished {
  const number = (sql: string) => book.prepare(sql).pluck().get() as number;
  const inState = (state: string) => number(`SELECT count(*) FROM sales WHERE state = '${state}'`);
  // The tables are made in one transaction.
  if (number("SELECT count(*) FROM sqlite_master WHERE name = 'sales'") === 0) return NOTHING;
  return {
    swapping: inState("swapping"),
    paid: inState("paid"),
    owed: inState("owed"),
    invoices: inState("invoicing") + inState("invoiced"),
    walletWaiting:
      number("SELECT count(*) FROM proofs WHERE event_id IS NULL AND spent_at IS NULL") +
      number(
        `SELECT count(*) FROM wallet_events
           WHERE acknowledged_at IS NULL AND withdrawn_at IS NULL AND kind <> ${HISTORY_KIND}`,
      ),
    liveSessions: number("SELECT count(*) FROM sessions WHERE status IN ('active', 'pending')"),
  };
}

function reading<T>(path: string, read: (book: Database.Database) => T): T {
  const book = new Database(path, { readonly: true, fileMustExist: true });
  try {
    return read(book);
  } finally {
    book.close();
  }
}
