import { realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Book } from "./open-book.ts";

export type Durability = ReturnType<typeof createDurability>;

/**
 * Commits that do not hold up the process while the disk writes (docs/adr/0019). Nothing of them is lost with the
 * process; with the power, what `onDisk` has not answered for. A commit in the usual way takes all before it to the disk.
 */
export function createDurability(book: Book, syncFile: (path: string) => Promise<void> = datasync) {
  const log = `${realpathSync(book.name)}-wal`;
  /** The first stands for what a killed process has left: it is in the log, and may not be on disk. */
  let commits = 1;
  let durable = 0;
  let underWay: Promise<void> | undefined;
  /** A sync has failed, and no other is believed until all of it was written anew. */
  let isInDoubt = false;

  /** Commits that come meanwhile share the next turn. */
  async function reach(wanted: number): Promise<void> {
    while (durable < wanted) {
      underWay ??= syncLog().finally(() => {
        underWay = undefined;
      });
      await underWay;
    }
  }

  /** What SQLite does at the end of a commit with `synchronous=FULL` (sqlite.org/pragma.html#pragma_synchronous). */
  async function syncLog(): Promise<void> {
    const upTo = commits;
    isInDoubt ||= await syncFile(log).then(
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

export async function datasync(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.datasync().finally(() => file.close());
}

/** A system that failed to write takes its pages for written: only what is written anew is sure. */
function foldLog(book: Book): void {
  const [folded] = book.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
  if (folded?.busy === 0) return;
  throw Object.assign(new Error("the write-ahead log cannot be synced"), { code: "SQLITE_IOERR_FSYNC" });
}
