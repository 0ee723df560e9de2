import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Database } from "better-sqlite3";

/** How long a copy is kept; it holds the keys of buyers. */
const KEEP_SECONDS = 7 * 86_400;

/** Copies the whole book, as it was before a migration, to `<path>.before-europa-<now>`, mode 0600. */
export function keepFormerCopy(book: Database, path: string, now: number): void {
  const copy = `${path}.before-europa-${now}`;
  const failed = `the database ${path} was not upgraded, since it could not be copied to ${copy} first`;
  try {
    closeSync(openSync(copy, "wx", 0o600));
  } catch (cause) {
    throw new Error(failed, { cause });
  }
  try {
    // VACUUM INTO takes an empty file as it is, with its mode.
    book.prepare("VACUUM INTO ?").run(copy);
  } catch (cause) {
    rmSync(copy, { force: true });
    throw new Error(failed, { cause });
  }
}

/** Removes the copies of this book that are older than 7 days, by the time in their name (unix seconds). */
export function removeOldCopies(path: string, now: number): void {
  const prefix = `${basename(path)}.before-europa-`;
  for (const name of readdirSync(dirname(path))) {
    const madeAt = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    if (!/^\d+$/.test(madeAt) || now - Number(madeAt) <= KEEP_SECONDS) continue;
    rmSync(join(dirname(path), name), { force: true });
  }
}
