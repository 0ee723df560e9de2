import { createBackupHabit } from "../backup/habit.ts";
import { copyBook, removeStrayCopies } from "../db/copy-book.ts";
import { interfaceKeyOf } from "../wireguard/private-key.ts";
import type { Context } from "./context.ts";
import type { Records } from "./records.ts";

const BACKUPS_MS = 60_000;

/** Backups by habit, and the copy of the book that `europa-node backup` asks for. */
export function keepBackups({ config, logger, clock, life }: Context, { book, control }: Records): void {
  const stopping = new AbortController();
  removeStrayCopies(config.db.path);
  control.serve("book-copy", () => copyBook(book, clock.now, stopping.signal));
  const step = createBackupHabit({
    book,
    config,
    readInterfaceKey: () => interfaceKeyOf(config.wireguard),
    now: clock.now,
    logger,
    signal: stopping.signal,
  });
  void step();
  life.job("backups", BACKUPS_MS, step);
  // Before the job waits for its step: a large book takes its time.
  life.onClose(() => stopping.abort());
}
