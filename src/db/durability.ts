import { fdatasync, openSync, realpathSync } from "node:fs";
import { promisify } from "node:util";
import type { Book } from "./open-book.ts";

export type Durability = ReturnType<typeof createDurability>;

/**
 * Commits that do not hold up the process while the disk writes (docs/adr/0019). Nothing of them is lost with the
 * process; with the power, what `onDisk` has not answered for. A commit in the usual way takes all before it to the disk.
 */
export function createDurability(book: Book, syncLog = createLogSync(book)) {
  /** The first stands for what a killed process has left: it is in the log, and may not be on disk. */
  let commits = 1;
  let durable = 0;
  let underWay: Promise<void> | undefined;
  /** A sync has failed, and no other is believed until all of it was written anew. */
  let isInDoubt = false;

  /** Commits that come meanwhile share the next turn. */
  async function reach(wanted: number): Promise<void> {
    while (durable < wanted) {
      underWay ??= takeTurn().finally(() => {
        underWay = undefined;
      });
      await underWay;
    }
  }

  /** What SQLite does at the end of a commit with `synchronous=FULL` (sqlite.org/pragma.html#pragma_synchronous). */
  async function takeTurn(): Promise<void> {
    const upTo = commits;
    isInDoubt ||= await syncLog().then(
      () => false,
      () => true,
    );
    if (isInDoubt) foldLog(book);
    isInDoubt = false;
    durable = upTo;
  }

  /** A whole transaction, which may be lost and is done again then: `onDisk` does not wait for it. */
  function lazily<T>(transaction: () => T): T {
    book.pragma("synchronous = NORMAL");
    try {
      return transaction();
    } finally {
      book.pragma("synchronous = FULL");
    }
  }

  return {
    lazily,
    /** A whole transaction, on disk when `onDisk` says so. */
    promised<T>(transaction: () => T): T {
      const result = lazily(transaction);
      commits++;
      return result;
    },
    /** Resolves once all that was promised by now is on disk; rejects with SQLite's error. */
    onDisk: (): Promise<void> => reach(commits),
  };
}

/**
 * The log stays open, as long as the process: of a write that failed the system tells once each who has the file open, and
 * nobody who opens it after SQLite was told (fsync(2)). It is beside the book itself, not beside a link to it.
 */
export function createLogSync(book: Book): () => Promise<void> {
  const log = openSync(`${realpathSync(book.name)}-wal`, "r");
  return () => promisify(fdatasync)(log);
}

/** A system that failed to write takes its pages for written: only what is written anew is sure. */
function foldLog(book: Book): void {
  const [folded] = book.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
  if (folded?.busy === 0) return;
  throw Object.assign(new Error("the write-ahead log cannot be synced"), { code: "SQLITE_IOERR_FSYNC" });
}
