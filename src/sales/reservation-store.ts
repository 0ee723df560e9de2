import type { Book } from "../db/open-book.ts";
import type { FirstPurchase, SessionStore } from "../tunnels/session-store.ts";

export type ReservationStore = ReturnType<typeof createReservationStore>;

/**
 * Addresses for sales. An unpaid invoice only reserves one (rule 25): whoever pays comes first, so a reservation
 * yields to him, the oldest first. Its invoice stays payable and then takes another address.
 */
export function createReservationStore(book: Book, sessions: SessionStore, poolSize: number) {
  // A session that nothing but unpaid invoices holds, whose address would be free without them: one that ended has its
  // own hold first.
  const reserved = `FROM sessions s JOIN pool_addresses p USING (assigned_ip)
    WHERE s.status = 'pending' AND p.held_until <= ?
      AND EXISTS (SELECT 1 FROM sales WHERE sales.session_id = s.session_id AND state IN ('invoicing', 'invoiced'))
      AND NOT EXISTS (SELECT 1 FROM sales WHERE sales.session_id = s.session_id
        AND state IN ('swapping', 'paid', 'owed'))`;
  const count = book.prepare<[number], number>(`SELECT count(*) ${reserved}`).pluck();
  const ids = book.prepare<[number], string>(`SELECT s.session_id ${reserved}`).pluck();
  const oldest = book
    .prepare<[number], string>(`SELECT s.session_id ${reserved} ORDER BY s.purchased_at, s.rowid LIMIT 1`)
    .pluck();
  const detach = book.prepare(
    `UPDATE sales SET session_id = NULL, address_released_at = ?
       WHERE session_id = ? AND state IN ('invoicing', 'invoiced')`,
  );
  const most = Math.max(1, Math.floor(poolSize / 2));

  function yielding(now: number): number {
    return count.get(now) ?? 0;
  }

  function yieldOldest(now: number): boolean {
    const sessionId = oldest.get(now);
    if (sessionId === undefined) return false;
    detach.run(now, sessionId);
    sessions.unpin(sessionId, now);
    return true;
  }

  function reserve(publicKey: string, first: FirstPurchase, now: number): string | undefined {
    for (;;) {
      const sessionId = sessions.reserve(publicKey, first, now);
      if (sessionId !== undefined || !yieldOldest(now)) return sessionId;
    }
  }

  function reserveUnpaid(publicKey: string, first: FirstPurchase, now: number): string | undefined {
    if (sessions.findByKey(publicKey, now) === undefined) {
      while (yielding(now) >= most) yieldOldest(now);
    }
    return reserve(publicKey, first, now);
  }

  return {
    /** For a sale that is paid, or about to be: undefined when every address belongs to somebody who paid. */
    reserve: (publicKey: string, first: FirstPurchase, now: number) =>
      book.transaction(() => reserve(publicKey, first, now))(),
    /** For an invoice: all of them together have at most half the pool. */
    reserveUnpaid: (publicKey: string, first: FirstPurchase, now: number) =>
      book.transaction(() => reserveUnpaid(publicKey, first, now))(),
    /** Addresses that a payer can have although they are not free. */
    yielding,
    /** Sessions that such addresses belong to. */
    sessionIds: (now: number) => ids.all(now),
    /** Unpaid invoices of the session hold it no longer, and take another once they are paid. */
    detach: (sessionId: string, now: number) => void detach.run(now, sessionId),
  };
}
