import type { Book } from "../db/open-book.ts";
import { isWireguardKey } from "../protocol/wireguard-key.ts";

export type OldRowsStore = ReturnType<typeof createOldRowsStore>;

/** How long an older daemon's unpaid invoice may still be paid (docs/spec.md, "An older database"). */
export const OLD_INVOICE_SECONDS = 86_400;

/**
 * Takes over what an older daemon wrote into `sessions` (docs/spec.md, "An older database"). Its columns take any
 * value, so nothing here may fail for what stands in a row.
 */
export function createOldRowsStore(book: Book) {
  // No quota, or one of nothing: time was sold. An end that is no number is none; of a session that ended before its
  // end we know only that it is over.
  const addMissingTerms = book.prepare(
    `INSERT INTO session_terms (session_id, time_until, data_until, ended_at)
       SELECT session_id, iif(sold_data, NULL, ends_at), iif(sold_data, ends_at, NULL),
         CASE WHEN status IN ('expired', 'revoked') THEN iif(ends_at <= ?, ends_at, 0) END
       FROM (SELECT session_id, status, coalesce(data_quota_bytes, 0) > 0 AS sold_data,
           CASE WHEN typeof(expires_at) IN ('integer', 'real') THEN CAST(expires_at AS INTEGER) END AS ends_at
         FROM sessions WHERE session_id IS NOT NULL AND session_id NOT IN (SELECT session_id FROM session_terms))`,
  );
  const forgetOvertaken = book.prepare(
    `DELETE FROM session_terms WHERE session_id IN (SELECT session_id FROM sessions JOIN session_terms t USING (session_id)
       WHERE iif(status = 'active', t.ended_at IS NOT NULL, status IN ('expired', 'revoked') AND t.ended_at IS NULL))`,
  );
  const endedAfter = book.prepare<[number], { assigned_ip: string; ended_at: number }>(
    `SELECT assigned_ip, ended_at FROM sessions JOIN session_terms USING (session_id)
       WHERE status IN ('expired', 'revoked') AND ended_at > ?`,
  );
  const staleKeys = book.prepare<[], { client_identity: string; assigned_ip: string }>(
    `SELECT client_identity, assigned_ip FROM sessions s WHERE status IN ('expired', 'revoked')
       AND client_identity > '' AND assigned_ip IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sessions live
         WHERE live.client_identity = s.client_identity AND live.status IN ('pending', 'active'))`,
  );
  const depart = book.prepare(
    "INSERT OR REPLACE INTO departing_peers (public_key, assigned_ip, since) VALUES (?, ?, ?)",
  );
  const lapsePending = book.prepare(
    `UPDATE sessions SET status = 'expired' WHERE status = 'pending'
       AND coalesce(CAST(purchased_at AS INTEGER), 0) NOT BETWEEN ? AND ?
       AND NOT EXISTS (SELECT 1 FROM sales WHERE sales.session_id = sessions.session_id)`,
  );

  return {
    /** Gives every row its terms, as its end and quota have them: one that we never saw, or that an older daemon has
     * ended or taken up again since. */
    addMissingTerms(now: number): void {
      forgetOvertaken.run();
      addMissingTerms.run(now);
    },
    /** Keys of ended sessions may still be on the interface: they have to go, or be seen as gone. */
    departStaleKeys(now: number): void {
      for (const { client_identity, assigned_ip } of staleKeys.all()) {
        if (isWireguardKey(client_identity)) depart.run(client_identity, assigned_ip, now);
      }
    },
    endedAfter: (unixSeconds: number) => endedAfter.all(unixSeconds),
    /** Unpaid invoices lapse after a day, and those of a day to come; a session that a sale has pinned is not one. */
    lapsePending: (now: number) =>
      void lapsePending.run(now - OLD_INVOICE_SECONDS + 1, now + OLD_INVOICE_SECONDS),
  };
}
