import type { SeenPeer } from "./ports.ts";
import { bytesLeft, charge, type Terms, timeRuns, unlimited } from "./terms.ts";

/** Bytes that one peer's counters say, since it was made. */
export type PeerCounters = Pick<SeenPeer, "publicKey" | "receivedBytes" | "sentBytes">;

interface Counted {
  lastReceivedBytes: number;
  lastSentBytes: number;
}

/** What both counters grew by since they were last counted. A counter below its last value began anew. */
export function growthOf({ lastReceivedBytes, lastSentBytes }: Counted, seen: PeerCounters): number {
  return growth(lastReceivedBytes, seen.receivedBytes) + growth(lastSentBytes, seen.sentBytes);
}

function growth(last: number, seen: number): number {
  return seen >= last ? seen - last : seen;
}

/** Raises what is charged to what the kernel has counted since the data was bought; the same terms if that is no more. */
export function chargeUpTo(terms: Terms, usedBytes: number): Terms {
  return terms.quotaBytes === null || usedBytes <= terms.usedBytes ? terms : { ...terms, usedBytes };
}

interface Chargeable {
  sessionId: string;
  expiresAt: number | null;
  terms: Terms;
}

/**
 * Charges one peer's traffic to the sessions of its key, once: free while any of them has time, else from the data
 * that ends first. Returns the sessions whose terms changed.
 */
export function chargeOnce<T extends Chargeable>(
  sessions: readonly T[],
  bytes: number,
  countedSince: number,
): T[] {
  if (sessions.some(({ terms }) => unlimited(terms) || timeRuns(terms, countedSince))) return [];
  const withData = sessions.filter(({ terms }) => bytesLeft(terms) > 0).sort(byEnd);
  let rest = bytes;
  const charged: T[] = [];
  withData.forEach((session, index) => {
    const isLast = index === withData.length - 1;
    const part = isLast ? rest : Math.min(rest, bytesLeft(session.terms));
    if (part > 0) charged.push({ ...session, terms: charge(session.terms, part, countedSince) });
    rest -= part;
  });
  return charged;
}

function byEnd(a: Chargeable, b: Chargeable): number {
  return (a.expiresAt ?? Number.MAX_SAFE_INTEGER) - (b.expiresAt ?? Number.MAX_SAFE_INTEGER);
}
