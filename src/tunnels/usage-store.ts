import type { Book } from "../db/open-book.ts";
import type { KernelCounts } from "./limit-keeper.ts";
import { limitName } from "./limits.ts";
import { type Session, type SessionRow, sessionColumns, sessionTables, toSession } from "./session-row.ts";
import type { TermsStore } from "./terms-store.ts";
import { chargeOnce, chargeUpTo, growthOf, type PeerCounters } from "./traffic.ts";

type CountersRow = Pick<
  SessionRow,
  | "session_id"
  | "client_identity"
  | "data_quota_bytes"
  | "data_used_bytes"
  | "last_rx_counter"
  | "last_tx_counter"
>;

/** Interface and kernel, looked at together. */
interface Look {
  peers: ReadonlyMap<string, PeerCounters>;
  kernelCounts: KernelCounts;
}

/** What running sessions use, as interface and kernel count it. */
export function createUsageStore(book: Book, terms: TermsStore) {
  const activeByKey = book.prepare<[string], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.client_identity = ? AND s.status = 'active'`,
  );
  const keyOf = book
    .prepare<[string], string>(
      "SELECT client_identity FROM sessions WHERE session_id = ? AND status = 'active'",
    )
    .pluck();
  const activeCounters = book.prepare<[], CountersRow>(
    `SELECT session_id, client_identity, data_quota_bytes, data_used_bytes, last_rx_counter, last_tx_counter
       FROM sessions WHERE status = 'active'`,
  );
  const setCounters = book.prepare(
    "UPDATE sessions SET last_rx_counter = ?, last_tx_counter = ? WHERE session_id = ?",
  );
  const restartLive = book.prepare(
    `UPDATE sessions SET last_rx_counter = 0, last_tx_counter = 0
       WHERE client_identity = ? AND status = 'active' AND (last_rx_counter IS NOT 0 OR last_tx_counter IS NOT 0)`,
  );
  const restartEnded = book.prepare(
    `UPDATE sessions SET last_rx_counter = 0, last_tx_counter = 0
       WHERE client_identity = ? AND status IN ('pending', 'expired')`,
  );

  /** Session ids by the names of their counts. */
  const counted = new Map<string, string>();
  let lastCounts: KernelCounts = new Map();
  /** Bytes charged since a peer's counters were kept, by its key: its next growth holds them too. */
  const ahead = new Map<string, number>();

  function charge(
    publicKey: string,
    seen: PeerCounters | undefined,
    kernelCounts: KernelCounts,
    countedSince: number,
    now: number,
  ): void {
    const sessions = activeByKey.all(publicKey).map(toSession);
    const byKernel = chargeAsCounted(sessions, kernelCounts, now);
    const known = ahead.get(publicKey) ?? 0;
    ahead.delete(publicKey);
    if (sessions.length === 0) return;
    if (!seen) {
      ahead.set(publicKey, known + (byKernel ?? 0));
      return;
    }
    const bytes = Math.min(...sessions.map((session) => growthOf(session, seen)));
    for (const session of sessions) keepCounters(session, seen);
    if (byKernel !== undefined) return;
    for (const charged of chargeOnce(sessions, Math.max(0, bytes - known), countedSince)) {
      terms.write(charged.sessionId, charged.terms, now);
    }
  }

  /** The keys of which the book does not have what was counted. Of ten thousand peers most are idle. */
  function countedAnew({ peers, kernelCounts }: Look): Set<string> {
    const keys = new Set<string>();
    counted.clear();
    for (const { session_id, client_identity, data_quota_bytes, ...row } of activeCounters.iterate()) {
      const seen = peers.get(client_identity);
      const differs = seen?.receivedBytes !== row.last_rx_counter || seen?.sentBytes !== row.last_tx_counter;
      if (seen && differs) keys.add(client_identity);
      if (data_quota_bytes === null || kernelCounts.size === 0) continue;
      const name = limitName(session_id);
      counted.set(name, session_id);
      if ((kernelCounts.get(name) ?? 0) > row.data_used_bytes) keys.add(client_identity);
    }
    return keys;
  }

  /** The keys for which the kernel's count is another than at the last look. */
  function countedOn(kernelCounts: KernelCounts): string[] {
    const sessionIds = [...kernelCounts].flatMap(([name, used]) =>
      lastCounts.get(name) === used ? [] : (counted.get(name) ?? []),
    );
    return sessionIds.flatMap((sessionId) => keyOf.get(sessionId) ?? []);
  }

  /** Answers by how much it was; undefined when the kernel counted for none of them. */
  function chargeAsCounted(
    sessions: readonly Session[],
    kernelCounts: KernelCounts,
    now: number,
  ): number | undefined {
    let bytes: number | undefined;
    for (const session of sessions) {
      const used = kernelCounts.get(limitName(session.sessionId));
      if (used === undefined) continue;
      const charged = chargeUpTo(session.terms, used);
      if (charged !== session.terms) terms.write(session.sessionId, charged, now);
      bytes = (bytes ?? 0) + charged.usedBytes - session.terms.usedBytes;
    }
    return bytes;
  }

  function keepCounters(session: Session, { receivedBytes, sentBytes }: PeerCounters): void {
    if (session.lastReceivedBytes === receivedBytes && session.lastSentBytes === sentBytes) return;
    setCounters.run(receivedBytes, sentBytes, session.sessionId);
  }

  const chargeAll = book.transaction(
    (publicKeys: Iterable<string>, look: Look, since: number, now: number) => {
      for (const key of publicKeys) charge(key, look.peers.get(key), look.kernelCounts, since, now);
    },
  );

  return {
    /**
     * Charges what the kernel counted, and for a key that it counted nothing of, what the peer's counters grew by
     * since they were last looked at. They are kept in either case: whichever counts next goes on from there. With
     * `passed`, only for these keys and those that the kernel counted on for.
     */
    count(look: Look, countedSince: number, now: number, passed?: ReadonlySet<string>): void {
      const keys = passed ? new Set([...passed, ...countedOn(look.kernelCounts)]) : countedAnew(look);
      chargeAll(keys, look, countedSince, now);
      lastCounts = look.kernelCounts;
    },
    /** Charges these keys what the kernel counted. */
    countOf(keys: ReadonlySet<string>, kernelCounts: KernelCounts, now: number): void {
      chargeAll(keys, { peers: new Map(), kernelCounts }, now, now);
    },
    /** The kernel is told to count by this name for the session. */
    countedAs: (name: string, sessionId: string) => void counted.set(name, sessionId),
    /** The peer was put back on the interface by us: its counters begin at zero. */
    countersRestarted: (keys: readonly string[]) =>
      book.transaction(() => {
        for (const key of keys) {
          ahead.delete(key);
          restartLive.run(key);
        }
      })(),
    /** The session has another peer. */
    peerChanged: (sessionId: string) => void setCounters.run(0, 0, sessionId),
    /** The key's peer is gone: should it come again, its counters begin at zero. */
    peerGone(publicKey: string): void {
      ahead.delete(publicKey);
      restartEnded.run(publicKey);
    },
  };
}
