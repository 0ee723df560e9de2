import type { Book } from "../db/open-book.ts";
import { toRateColumn } from "./rate-column.ts";
import { effectiveEnd, isOver, type Terms } from "./terms.ts";

export type TermsStore = ReturnType<typeof createTermsStore>;

/** Writes a session's terms, and into the old table's columns what an older daemon makes of them. */
export function createTermsStore(book: Book) {
  const writeUse = book.prepare(
    "UPDATE sessions SET data_quota_bytes = ?, data_used_bytes = ?, expires_at = ? WHERE session_id = ?",
  );
  const setOwn = book.prepare(
    "UPDATE session_terms SET time_until = ?, data_until = ?, time_rates = ?, data_rates = ? WHERE session_id = ?",
  );

  function writeOwn(sessionId: string, { timeUntil, dataUntil, timeRates, dataRates }: Terms): void {
    setOwn.run(timeUntil, dataUntil, toRateColumn(timeRates), toRateColumn(dataRates), sessionId);
  }

  return {
    write(sessionId: string, terms: Terms, now: number): void {
      const expiresAt = isOver(terms, now) ? now : effectiveEnd(terms);
      writeUse.run(terms.quotaBytes, terms.usedBytes, expiresAt, sessionId);
      writeOwn(sessionId, terms);
    },
    /** Leaves the old columns as they are. */
    writeOwn,
  };
}
