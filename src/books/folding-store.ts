import type { Book } from "../db/open-book.ts";

/** How many rows a step may touch: each is a transaction of its own, and a sale waits for one at most. */
const SESSIONS_AT_ONCE = 5;
const EVENTS_AT_ONCE = 25;
const ROWS_AT_ONCE = 100;

export type FoldingStore = ReturnType<typeof createFoldingStore>;

/**
 * Forgets what is long over, in small transactions; its money stays as sums. Each verb takes the unix time up to which
 * things may be forgotten and answers by how many rows it found: none when it is done.
 */
export function createFoldingStore(book: Book) {
  // Over, its key forgotten, and each of its sales at rest: an open one, or one whose mint still owes us, keeps it.
  const overSessions = book
    .prepare<[number, number], string>(
      `SELECT session_id FROM session_terms t CROSS JOIN sessions s USING (session_id)
         WHERE t.ended_at IS NOT NULL AND t.ended_at <= ? AND s.status IN ('expired', 'revoked')
           AND s.client_identity = ''
           AND EXISTS (SELECT 1 FROM sales WHERE sales.session_id = t.session_id)
           AND NOT EXISTS (SELECT 1 FROM sales WHERE sales.session_id = t.session_id
             AND (state NOT IN ('granted', 'released')
               OR EXISTS (SELECT 1 FROM swap_attempts a WHERE a.sale_id = sales.sale_id)))
         ORDER BY t.ended_at LIMIT ?`,
    )
    .pluck();
  // As check-sale.ts and balance.ts count them.
  const addSales = book.prepare(
    `INSERT INTO folded_sales
       SELECT strftime('%Y-%m', paid_at, 'unixepoch'), method, coalesce(mint_url, ''), count(*), sum(face_sat),
         sum(fee_sat), sum(received_sat), sum(iif(flaw IS NULL, 0, face_sat - fee_sat - received_sat)),
         sum(coalesce(requested_msat, received)), sum(received), sum(kept),
         sum(max(0, received + kept - coalesce(requested_msat, received + kept))),
         sum(max(0, coalesce(requested_msat, received + kept) - received - kept))
       FROM (SELECT sales.*, requested_msat, coalesce(received_msat, 0) AS received,
           coalesce(fee_msat, 0) AS kept
         FROM sales LEFT JOIN invoices USING (sale_id) WHERE session_id = ? AND state = 'granted')
       WHERE true GROUP BY 1, 2, 3
     ON CONFLICT DO UPDATE SET sales = sales + excluded.sales, face_sat = face_sat + excluded.face_sat,
       fee_sat = fee_sat + excluded.fee_sat, received_sat = received_sat + excluded.received_sat,
       loss_sat = loss_sat + excluded.loss_sat, requested_msat = requested_msat + excluded.requested_msat,
       received_msat = received_msat + excluded.received_msat,
       node_fee_msat = node_fee_msat + excluded.node_fee_msat,
       overpaid_msat = overpaid_msat + excluded.overpaid_msat, short_msat = short_msat + excluded.short_msat`,
  );
  const ofSession = "IN (SELECT sale_id FROM sales WHERE session_id = ?)";
  const forgetOfSession = [
    `UPDATE proofs SET sale_id = NULL WHERE sale_id ${ofSession}`,
    `DELETE FROM sale_inputs WHERE sale_id ${ofSession}`,
    `DELETE FROM invoices WHERE sale_id ${ofSession}`,
    `DELETE FROM key_moves WHERE sale_id ${ofSession}`,
    "DELETE FROM operator_acts WHERE session_id = ?",
    "DELETE FROM sales WHERE session_id = ?",
    "DELETE FROM sessions WHERE session_id = ?",
  ].map((sql) => book.prepare(sql));
  // One that stands in an event beside an unspent one tells that the event is not to be sent again as it is.
  // SQLite would rather read every proof whose sale is forgotten, and those that nobody spends stay for ever.
  const spentProofs = book.prepare<[number, number], { y: string; mint_url: string; amount_sat: number }>(
    `SELECT y, mint_url, amount_sat FROM proofs INDEXED BY proofs_forgettable
       WHERE sale_id IS NULL AND spent_at IS NOT NULL AND spent_at <= ?
         AND NOT EXISTS (SELECT 1 FROM wallet_events e JOIN proofs mate USING (event_id)
           WHERE e.event_id = proofs.event_id AND e.withdrawn_at IS NULL AND mate.spent_at IS NULL)
       LIMIT ?`,
  );
  const addSpent = book.prepare(
    `INSERT INTO folded_proofs (mint_url, spent_sat) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET spent_sat = spent_sat + excluded.spent_sat`,
  );
  const forgetProof = book.prepare("DELETE FROM proofs WHERE y = ?");
  // A withdrawn event that proofs still name is what keeps those out of the outbox.
  const goneEvents = book
    .prepare<[number, number, number], string>(
      `SELECT event_id FROM wallet_events e WHERE withdrawn_at IS NOT NULL AND withdrawn_at <= ?
           AND NOT EXISTS (SELECT 1 FROM proofs WHERE proofs.event_id = e.event_id)
       UNION ALL SELECT event_id FROM wallet_events WHERE kind = 7376 AND created_at <= ? LIMIT ?`,
    )
    .pluck();
  const forgetDeliveries = book.prepare("DELETE FROM wallet_event_relays WHERE event_id = ?");
  const forgetEvent = book.prepare("DELETE FROM wallet_events WHERE event_id = ?");
  const oldReleases = book
    .prepare<[number, number], string>(
      "SELECT sale_id FROM sales WHERE state = 'released' AND released_at <= ? LIMIT ?",
    )
    .pluck();
  const forgetMovesOf = book.prepare("DELETE FROM key_moves WHERE sale_id = ?");
  const forgetSale = book.prepare("DELETE FROM sales WHERE sale_id = ? AND state = 'released'");
  const forgetMoves = book.prepare(
    "DELETE FROM key_moves WHERE rowid IN (SELECT rowid FROM key_moves WHERE moved_at <= ? LIMIT ?)",
  );
  const forgetPrices = book.prepare("DELETE FROM offered_tiers WHERE last_offered_at <= ?");

  function inOneGo(step: (until: number) => number): (until: number) => number {
    return (until) => book.transaction(() => step(until)).immediate();
  }

  return {
    /** Sessions over since then, with their sales and claims: from now on the mint alone knows those tokens. */
    sessions: inOneGo((until) => {
      const ids = overSessions.all(until, SESSIONS_AT_ONCE);
      for (const id of ids) {
        addSales.run(id);
        for (const forget of forgetOfSession) forget.run(id);
      }
      return ids.length;
    }),
    /** Proofs of such sales that the mint has called SPENT before then. Unspent ones stay for ever: they are money. */
    proofs: inOneGo((until) => {
      const proofs = spentProofs.all(until, ROWS_AT_ONCE);
      for (const { y, mint_url, amount_sat } of proofs) {
        addSpent.run(mint_url, amount_sat);
        forgetProof.run(y);
      }
      return proofs.length;
    }),
    /** Wallet events that stand for nothing any more, and the history of what came in. */
    walletEvents: inOneGo((until) => {
      const ids = goneEvents.all(until, until, EVENTS_AT_ONCE);
      for (const id of ids) {
        forgetDeliveries.run(id);
        forgetEvent.run(id);
      }
      return ids.length;
    }),
    /** Sales of which the mint said that nothing was taken. */
    releases: inOneGo((until) => {
      const ids = oldReleases.all(until, ROWS_AT_ONCE);
      for (const id of ids) {
        forgetMovesOf.run(id);
        forgetSale.run(id);
      }
      return ids.length;
    }),
    keyMoves: inOneGo((until) => forgetMoves.run(until, ROWS_AT_ONCE).changes),
    prices: inOneGo((until) => forgetPrices.run(until).changes),
  };
}
