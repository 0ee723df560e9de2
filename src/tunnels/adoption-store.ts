import type { Book } from "../db/open-book.ts";
import type { AddressPool } from "./address-pool.ts";
import { createOldRowsStore } from "./old-rows-store.ts";
import { isUsable, type SessionRow, sessionColumns, sessionTables, toSession } from "./session-row.ts";
import { effectiveEnd, isOver, type Terms, withEndOf } from "./terms.ts";
import type { TermsStore } from "./terms-store.ts";

/** Live rows that are odd, by their ids. */
interface OddSessions {
  /** Their key or address cannot be one. */
  unusable: string[];
  outside: string[];
}

/** Takes up the book at a start, whoever wrote it last. */
export function createAdoptionStore(book: Book, pool: AddressPool, written: TermsStore, holdSeconds: number) {
  const oldRows = createOldRowsStore(book);
  const active = book.prepare<[], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.status = 'active'`,
  );

  function adopt(now: number): OddSessions {
    oldRows.addMissingTerms(now);
    oldRows.departStaleKeys(now);
    for (const { assigned_ip, ended_at } of oldRows.endedAfter(now - holdSeconds)) {
      pool.hold(assigned_ip, ended_at, ended_at + holdSeconds);
    }
    return adoptLive(now);
  }

  /** Row by row: of ten thousand few have changed. What an older daemon sold, took back or left as live is taken over. */
  function adoptLive(now: number): OddSessions {
    const odd: OddSessions = { unusable: [], outside: [] };
    const changed: { sessionId: string; terms: Terms; isUsedUp: boolean }[] = [];
    for (const row of active.iterate()) {
      const session = toSession(row);
      const { sessionId, expiresAt } = session;
      if (!isUsable(session)) odd.unusable.push(sessionId);
      else if (!pool.contains(session.address)) odd.outside.push(sessionId);
      const terms = withEndOf(expiresAt, session.terms);
      const isUsedUp = effectiveEnd(terms) !== expiresAt && isOver(terms, now);
      if (isUsedUp || terms !== session.terms) changed.push({ sessionId, terms, isUsedUp });
    }
    for (const { sessionId, terms, isUsedUp } of changed) {
      if (isUsedUp) written.write(sessionId, terms, now);
      else written.writeOwn(sessionId, terms);
    }
    return odd;
  }

  return {
    /**
     * After an older daemon wrote the book, perhaps between two of our runs: every row gets its terms, what ended lately
     * its hold. Rows whose key or address cannot be one are returned as `unusable` and left out; those `outside`
     * today's subnet stay and are enforced until they end.
     */
    adoptOldRows: (now: number): OddSessions => book.transaction(() => adopt(now))(),
    /** Unpaid invoices of an older daemon's Lightning sales lapse after a day. */
    lapseOldPending: (now: number) => oldRows.lapsePending(now),
  };
}
