import type { Book } from "../db/open-book.ts";
import type { Bought } from "../protocol/price.ts";
import type { SessionStore } from "./session-store.ts";
import { rateOf, unlimited } from "./terms.ts";

/** What the operator did to a session by hand. Times in unix seconds. */
export interface OperatorAct {
  act: "revoked" | "extended";
  doneAt: number;
  /** In the operator's words; null for an extension. */
  reason: string | null;
  seconds: number;
  bytes: number;
}

export type OperatorActsStore = ReturnType<typeof createOperatorActsStore>;

/** Sessions that end, or go on, by the operator's hand. Each verb is one transaction, and leaves a row of its own. */
export function createOperatorActsStore(
  book: Book,
  sessions: Pick<SessionStore, "find" | "grant" | "revoke">,
) {
  const insert = book.prepare(
    "INSERT INTO operator_acts (session_id, act, done_at, reason, seconds, bytes) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const ofSession = book.prepare<[string], OperatorAct>(
    `SELECT act, done_at AS doneAt, reason, seconds, bytes FROM operator_acts
       WHERE session_id = ? ORDER BY done_at, rowid`,
  );

  function revoke(sessionId: string, reason: string, now: number, detach: () => void): boolean {
    if (!sessions.revoke(sessionId, now)) return false;
    insert.run(sessionId, "revoked", now, reason, 0, 0);
    detach();
    return true;
  }

  function extend(sessionId: string, { seconds, bytes }: Bought, now: number): boolean {
    const session = sessions.find(sessionId);
    if (session?.status !== "active" || unlimited(session.terms)) return false;
    const rateMbit = rateOf(session.terms, now) ?? undefined;
    sessions.grant(sessionId, { seconds, bytes, rateMbit }, now);
    insert.run(sessionId, "extended", now, null, seconds, bytes);
    return true;
  }

  return {
    /** False when it does not run. `detach` lets go of what belongs to the session, in the same transaction. */
    revoke: (sessionId: string, reason: string, now: number, detach: () => void) =>
      book.transaction(() => revoke(sessionId, reason, now, detach)).immediate(),
    /** As a purchase would, as fast as the session is now: it never shortens. False when it does not run, or runs without an end. */
    extend: (sessionId: string, extension: Bought, now: number) =>
      book.transaction(() => extend(sessionId, extension, now)).immediate(),
    ofSession: (sessionId: string) => ofSession.all(sessionId),
  };
}
