import type { Book } from "../db/open-book.ts";
import type { KernelCounts } from "./limit-keeper.ts";
import { limitName } from "./limits.ts";
import { type Session, type SessionRow, sessionColumns, sessionTables, toSession } from "./session-row.ts";
import type { TermsStore } from "./terms-store.ts";
import { chargeOnce, chargeUpTo, growthOf, type PeerCounters } from "./traffic.ts";

type CountersRow = Pick<
  SessionRow,
  "session_id" | "client_identity" | "data_quota_bytes" | "last_rx_counter" | "last_tx_counter"
>;

/** What running sessions use, as interface and kernel count it. */
export function createUsageStore(book: Book, terms: TermsStore) {
  const activeByKey = book.prepare<[string], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.client_identity = ? AND s.status = 'active'`,
  );
  const activeCounters = book.prepare<[], CountersRow>(
    `SELECT session_id, client_identity, data_quota_bytes, last_rx_counter, last_tx_counter
       FROM sessions WHERE status = 'active'`,
  );
  const setCounters = book.prepare(
    "UPDATE sessions SET last_rx_counter = ?, last_tx_counter = ? WHERE session_id = ?",
  );
  const restartLive = book.prepare(
    "UPDATE sessions SET last_rx_counter = 0, last_tx_counter = 0 WHERE client_identity = ? AND status = 'active'",
  );
  const restartEnded = book.prepare(
    `UPDATE sessions SET last_rx_counter = 0, last_tx_counter = 0
       WHERE client_identity = ? AND status IN ('pending', 'expired')`,
  );

  function count(
    peers: ReadonlyMap<string, PeerCounters>,
    kernelCounts: KernelCounts,
    countedSince: number,
    now: number,
  ): void {
    for (const publicKey of countedAnew(peers, kernelCounts)) {
      const sessions = activeByKey.all(publicKey).map(toSession);
      const isCounted = chargeAsCounted(sessions, kernelCounts, now);
      const seen = peers.get(publicKey);
      if (!seen) continue;
      const bytes = Math.min(...sessions.map((session) => growthOf(session, seen)));
      for (const session of sessions) keepCounters(session, seen);
      if (isCounted) continue;
      for (const charged of chargeOnce(sessions, bytes, countedSince)) {
        terms.write(charged.sessionId, charged.terms, now);
      }
    }
  }

  /** The keys of which the book does not have what was counted. Of ten thousand peers most are idle. */
  function countedAnew(peers: ReadonlyMap<string, PeerCounters>, kernelCounts: KernelCounts): Set<string> {
    const keys = new Set<string>();
    for (const { session_id, client_identity, ...row } of activeCounters.iterate()) {
      const seen = peers.get(client_identity);
      const differs = seen?.receivedBytes !== row.last_rx_counter || seen?.sentBytes !== row.last_tx_counter;
      const isCounted = row.data_quota_bytes !== null && kernelCounts.has(limitName(session_id));
      if (isCounted || (seen && differs)) keys.add(client_identity);
    }
    return keys;
  }

  /** Whether the kernel counted for any of them. */
  function chargeAsCounted(sessions: readonly Session[], kernelCounts: KernelCounts, now: number): boolean {
    let isCounted = false;
    for (const session of sessions) {
      const used = kernelCounts.get(limitName(session.sessionId));
      if (used === undefined) continue;
      isCounted = true;
      const charged = chargeUpTo(session.terms, used);
      if (charged !== session.terms) terms.write(session.sessionId, charged, now);
    }
    return isCounted;
  }

  function keepCounters(session: Session, { receivedBytes, sentBytes }: PeerCounters): void {
    if (session.lastReceivedBytes === receivedBytes && session.lastSentBytes === sentBytes) return;
    setCounters.run(receivedBytes, sentBytes, session.sessionId);
  }

  return {
    /**
     * Charges what the kernel counted, and for a key that it counted nothing of, what the peer's counters grew by
     * since they were last looked at. They are kept in either case: whichever counts next goes on from there.
     */
    count: book.transaction(count),
    /** The peer was put back on the interface by us: its counters begin at zero. */
    countersRestarted: (keys: readonly string[]) =>
      book.transaction(() => {
        for (const key of keys) restartLive.run(key);
      })(),
    /** The session has another peer. */
    peerChanged: (sessionId: string) => void setCounters.run(0, 0, sessionId),
    /** The key's peer is gone: should it come again, its counters begin at zero. */
    peerGone: (publicKey: string) => void restartEnded.run(publicKey),
  };
}
