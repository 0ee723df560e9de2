import { boundary } from "../boundary.ts";
import type { Durability } from "../db/durability.ts";
import type { Book } from "../db/open-book.ts";
import type { SessionStore } from "../tunnels/session-store.ts";
import type { ReservationStore } from "./reservation-store.ts";
import type { Sale } from "./sale.ts";
import { type SaleRow, toSale } from "./sale-row.ts";

export type GrantStore = ReturnType<typeof createGrantStore>;

/** Whether a verb changed the book, or found that it had been done before. */
export type Applied = "applied" | "replayed";

/**
 * What sales have in common once they are paid, however it was. Each verb is one transaction and names one arrow of
 * the state diagram; a verb whose state has passed already changes nothing.
 */
export function createGrantStore(
  book: Book,
  { lazily, onDisk }: Durability,
  sessions: SessionStore,
  reservations: ReservationStore,
) {
  const byId = book.prepare<[string], SaleRow>("SELECT * FROM sales WHERE sale_id = ?");
  const setOwed = book.prepare("UPDATE sales SET state = 'owed' WHERE sale_id = ? AND state = 'paid'");
  const setGranted = book.prepare(
    `UPDATE sales SET state = 'granted', granted_at = ?, client_key = NULL
       WHERE sale_id = ? AND state IN ('paid', 'owed')`,
  );
  const countsFrom = book
    .prepare<[string], number | null>("SELECT counts_from FROM sales WHERE sale_id = ?")
    .pluck();
  // Each in the words of the index that it goes by.
  const countOpenFrom = ["'swapping', 'paid', 'owed'", "'invoicing', 'invoiced'"].map((states) =>
    book.prepare(`UPDATE sales SET counts_from = ? WHERE state IN (${states}) AND counts_from IS NULL`),
  );
  const setSession = book.prepare("UPDATE sales SET session_id = ? WHERE sale_id = ?");
  const open = book.prepare<[], SaleRow>(
    `SELECT * FROM sales WHERE state IN ('swapping', 'paid', 'owed')
       ORDER BY state = 'swapping', paid_at, created_at, rowid`,
  );
  const firstInLine = book
    .prepare<[], string>(
      `SELECT sale_id FROM sales WHERE state = 'owed' AND session_id IS NULL
         ORDER BY paid_at, created_at, rowid LIMIT 1`,
    )
    .pluck();
  const detachOpen = book.prepare(
    `UPDATE sales SET session_id = NULL, address_released_at = ?
       WHERE session_id = ? AND state IN ('swapping', 'invoicing', 'invoiced', 'paid', 'owed')`,
  );
  const ofSession = book.prepare<[string], SaleRow>("SELECT * FROM sales WHERE session_id = ?");
  const owedWithoutSession = book
    .prepare<[], number>("SELECT count(*) FROM sales WHERE state = 'owed' AND session_id IS NULL")
    .pluck();

  function find(saleId: string): Sale | undefined {
    const row = byId.get(saleId);
    return row && toSale(row);
  }

  function mustFind(saleId: string): Sale {
    const sale = find(saleId);
    if (!sale) throw new Error("the book has lost a sale that it names");
    return sale;
  }

  /**
   * A paid sale that lost its address, or never had one, gets a session again. False: the pool is empty, or somebody
   * who paid earlier waits for the next address.
   */
  function attachSession(saleId: string, now: number): boolean {
    const sale = mustFind(saleId);
    if (sale.state !== "paid" && sale.state !== "owed") return sale.sessionId !== null;
    const session = sale.sessionId === null ? undefined : sessions.find(sale.sessionId);
    if (session && (session.status === "active" || session.status === "pending")) return true;
    if (sale.clientKey === null) throw new Error("an open sale has lost its buyer's key");
    const first = firstInLine.get() ?? saleId;
    if (first !== saleId && sessions.findByKey(sale.clientKey, now) === undefined) return false;
    const purchase = { price: sale.price, method: sale.method, dTag: sale.dTag };
    const sessionId = reservations.reserve(sale.clientKey, purchase, now);
    if (sessionId === undefined) return false;
    setSession.run(sessionId, saleId);
    return true;
  }

  function granted(saleId: string, now: number): Applied {
    const { sessionId, bought } = mustFind(saleId);
    if (sessionId === null) throw new Error("a sale without a session cannot be granted");
    if (setGranted.run(now, saleId).changes === 0) return "replayed";
    boundary("within-granted");
    sessions.grant(sessionId, bought, now, Math.min(now, countsFrom.get(saleId) ?? now));
    return "applied";
  }

  return {
    find,
    /** Resolves once what was opened and paid by now outlives the power; rejects with SQLite's error. */
    onDisk,
    /** Throws for a sale that the book does not have. */
    mustFind,
    /** paid → owed. */
    owed: (saleId: string) => void setOwed.run(saleId),
    /** paid | owed → granted, together with the session's new end. Whoever is paid is granted again. */
    granted: (saleId: string, now: number) =>
      lazily(() => book.transaction(() => granted(saleId, now)).immediate()),
    attachSession: (saleId: string, now: number) =>
      book.transaction(() => attachSession(saleId, now)).immediate(),
    /** The session is another key's now: unpaid invoices for the former one are for a tunnel of their own. */
    leaveUnpaid: reservations.detach,
    /** The session was revoked: sales under way for it are for a tunnel of their own. How many. */
    detachOpen: (sessionId: string, now: number) => detachOpen.run(now, sessionId).changes,
    /** What is open now may have been granted at that time, by a book that is lost: its time counts from then. */
    countOpenFrom(from: number): void {
      for (const count of countOpenFrom) count.run(from);
    },
    /** Sales that are not at rest: those paid first, in the order of payment, then those unresolved. */
    openSales: () => open.all().map(toSale),
    ofSession: (sessionId: string) => ofSession.all(sessionId).map(toSale),
    /** Buyers who paid and wait for an address: they come before anybody new. */
    owedWithoutSession: () => owedWithoutSession.get() ?? 0,
  };
}
