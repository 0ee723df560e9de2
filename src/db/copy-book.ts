import { randomUUID } from "node:crypto";
import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { roomIn } from "./disk-room.ts";
import { createFacts } from "./facts.ts";
import type { Book } from "./open-book.ts";

/** Set in a copy alone, to when it was made (unix seconds): a daemon that finds it runs on a restored book. */
export const COPIED_AT = "copied-at";

/** Pages that go over in one turn of the event loop: 256 KiB. */
const PAGES_AT_ONCE = 64;

/** The copy would take the room that sales need; nothing was written. */
export class NoRoomError extends Error {
  readonly code = "ENOSPC";

  constructor() {
    super("there is no room for a copy of the book");
    this.name = "NoRoomError";
  }
}

/**
 * Copies the whole book, as it is when the last page goes over, beside it: mode 0600, one file, marked as a copy.
 * Sales go on meanwhile. The caller removes it. Rejects with `NoRoomError`, SQLite's or the system's error, nothing
 * left behind.
 */
export async function copyBook(
  book: Book,
  now: () => number,
  signal?: AbortSignal,
): Promise<{ path: string; madeAt: number }> {
  const path = `${prefixOf(book.name)}${randomUUID()}`;
  if (roomIn(dirname(path)) < bytesOf(book)) throw new NoRoomError();
  try {
    closeSync(openSync(path, "wx", 0o600));
    await book.backup(path, {
      progress: () => {
        signal?.throwIfAborted();
        return PAGES_AT_ONCE;
      },
    });
    const madeAt = now();
    mark(path, madeAt);
    return { path, madeAt };
  } catch (error) {
    removeCopy(path);
    throw error;
  }
}

export function removeCopy(path: string): void {
  for (const end of ["", "-journal", "-wal", "-shm"]) rmSync(path + end, { force: true });
}

/** What a killed process has left. To be called under the instance lock. */
export function removeStrayCopies(bookPath: string): void {
  const prefix = basename(prefixOf(bookPath));
  for (const name of readdirSync(dirname(bookPath))) {
    if (name.startsWith(prefix)) rmSync(join(dirname(bookPath), name), { force: true });
  }
}

/** When the copy of a book at `path` was made, in unix seconds; undefined for what is none. */
export function readCopiedAt(path: string): number | undefined {
  let copy: Book | undefined;
  try {
    copy = new Database(path, { readonly: true });
    const copiedAt = createFacts(copy).get(COPIED_AT);
    return copiedAt ? Number(copiedAt) : undefined;
  } catch {
    return undefined;
  } finally {
    copy?.close();
  }
}

/** Without a write-ahead log, so that the one file is all of it. */
function mark(path: string, madeAt: number): void {
  const copy = new Database(path);
  try {
    copy.pragma("journal_mode = DELETE");
    createFacts(copy).set(COPIED_AT, String(madeAt));
  } finally {
    copy.close();
  }
}

function bytesOf(book: Book): number {
  const [pages, pageBytes] = ["page_count", "page_size"].map((name) => book.pragma(name, { simple: true }));
  return Number(pages) * Number(pageBytes);
}

function prefixOf(bookPath: string): string {
  return `${bookPath}.copy-`;
}
