import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { type Clock, systemClock } from "../clock.ts";
import { keepFormerCopy, removeOldCopies } from "./former-copy.ts";
import { ensurePrivateFile, makePrivate } from "./private-file.ts";
import { migrations } from "./schema.ts";

export type Book = Database.Database;

/**
 * Opens (or makes) the book at `path`, brings its schema up to date, and leaves it in the mode that money needs:
 * WAL, `synchronous=FULL`, deleted rows overwritten, readable by nobody else. A file with tables is copied before a
 * migration; the copy goes after 7 days. Throws, with the file as it was, when it is damaged or of a newer schema.
 */
export function openBook(path: string, clock: Clock = systemClock): Book {
  ensurePrivateFile(path);
  // SQLite gives these the mode of the database, but a killed daemon may have left its own.
  for (const side of ["-wal", "-shm", "-journal"]) makePrivate(path + side);
  checkSound(path);
  const book = new Database(path, { timeout: 5000 });
  try {
    const version = schemaVersion(book);
    if (book.pragma("journal_mode = WAL", { simple: true }) !== "wal") {
      throw new Error(`the database ${path} cannot keep a write-ahead log: put it on a local disk`);
    }
    book.pragma("synchronous = FULL");
    book.pragma("foreign_keys = ON");
    book.pragma("secure_delete = ON");
    if (version < migrations.length && hasTables(book)) keepFormerCopy(book, path, clock.now());
    migrate(book, version);
    removeOldCopies(path, clock.now());
    return book;
  } catch (error) {
    book.close();
    throw error;
  }
}

/** The book as it stands, to be read: nothing is made, migrated or moved. Undefined when there is none. */
export function openExistingBook(path: string): Book | undefined {
  return existsSync(path) ? new Database(path, { fileMustExist: true, timeout: 5000 }) : undefined;
}

/**
 * Looks without a right to write: the last connection to close folds the write-ahead log into the file, and would
 * spoil more of a damaged one. Only a rollback that another daemon left half done needs that right.
 */
function checkSound(path: string): void {
  const found = soundness(path, true) ?? soundness(path, false);
  if (found === "ok") return;
  throw new Error(
    `the database ${path} is damaged (${found}): keep it, and put a backup in its place, ` +
      `or save what can be read with: sqlite3 ${path} .recover`,
  );
}

/** `ok`, or the first fault; undefined when it takes a right to write to tell. */
export function soundness(path: string, readonly: boolean): string | undefined {
  const book = new Database(path, { readonly, timeout: 5000 });
  try {
    return String(book.pragma("quick_check(1)", { simple: true }));
  } catch (error) {
    const code = error instanceof Database.SqliteError ? error.code : "";
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return code;
    if (readonly && code.startsWith("SQLITE_READONLY")) return undefined;
    throw error;
  } finally {
    book.close();
  }
}

/** `user_version` may be an older daemon's own, so the version stands in a table that is ours. Throws when newer. */
function schemaVersion(book: Book): number {
  const known = book.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'europa_schema'").get() !== undefined;
  const version = known
    ? (book.prepare("SELECT version FROM europa_schema").pluck().get() as number | undefined)
    : undefined;
  if (version !== undefined && version > migrations.length) {
    throw new Error(
      `the database was written by a newer europa-node (schema ${version}, this one knows ${migrations.length})`,
    );
  }
  return version ?? 0;
}

function hasTables(book: Book): boolean {
  return book.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' LIMIT 1").get() !== undefined;
}

function migrate(book: Book, version: number): void {
  migrations.slice(version).forEach((statements, index) => {
    book
      .transaction(() => {
        book.exec("CREATE TABLE IF NOT EXISTS europa_schema (version INTEGER NOT NULL)");
        book.exec(statements);
        book.exec("DELETE FROM europa_schema");
        book.prepare("INSERT INTO europa_schema (version) VALUES (?)").run(version + index + 1);
      })
      .immediate();
  });
}
