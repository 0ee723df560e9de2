import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { BackupConfig } from "../config/types.ts";
import { copyBook, removeCopy } from "../db/copy-book.ts";
import type { Book } from "../db/open-book.ts";
import type { Seal } from "./age.ts";
import { BackupError } from "./backup-error.ts";
import type { BackedUp } from "./collect.ts";
import { fileNameOf, isFileName } from "./file-name.ts";
import { makeBackup } from "./make-backup.ts";
import { checkPassphrase, readPassphrase } from "./passphrase.ts";

/** After a failure: a disk may have been emptied meanwhile. */
const AGAIN_SECONDS = 600;

interface HabitParts {
  book: Book;
  config: BackedUp & { backup: BackupConfig };
  readInterfaceKey: () => Promise<string | undefined | null>;
  now: () => number;
  logger: Logger;
  /** A backup under way is given up. */
  signal: AbortSignal;
}

/**
 * To be called often: makes a backup when the newest in the folder is `everyHours` old, and removes the oldest beyond
 * `keep`. A call while one is made joins it. Never rejects: no sale hangs on it.
 */
export function createBackupHabit({ book, config, readInterfaceKey, now, logger, signal }: HabitParts) {
  const { everyHours, keep, dir, seal } = config.backup;
  let notBefore = 0;
  let making: Promise<void> | undefined;

  async function make(): Promise<void> {
    makeFolder(dir);
    if (hasOneWithin(everyHours * 3600, dir, now())) return;
    const to = sealOf(seal);
    const copy = await copyBook(book, now, signal);
    try {
      const path = join(dir, fileNameOf(copy.madeAt));
      const { bytes, absent } = await makeBackup(config, await readInterfaceKey(), copy, to, path, signal);
      logger.info(
        { event: "backup-made", bytes, absent: absent.map(({ name }) => name) },
        "a backup was made",
      );
    } finally {
      removeCopy(copy.path);
    }
    for (const name of backupsIn(dir).slice(0, -keep)) rmSync(join(dir, name), { force: true });
  }

  async function attempt(): Promise<void> {
    try {
      await make();
    } catch (error) {
      if (signal.aborted) return;
      notBefore = now() + AGAIN_SECONDS;
      const { name, code } = error as { name?: string; code?: string };
      const why = error instanceof BackupError ? error.message : `${name} ${code ?? ""}`.trim();
      logger.error(
        { event: "backup-failed", why },
        "a backup could not be made; it is tried again in ten minutes",
      );
    }
  }

  return (): Promise<void> => {
    if (everyHours === 0 || now() < notBefore) return Promise.resolve();
    making ??= attempt().finally(() => {
      making = undefined;
    });
    return making;
  };
}

function sealOf(seal: BackupConfig["seal"]): Seal {
  if (seal === undefined) throw new BackupError("neither a recipient nor a passphrase is configured");
  return "recipient" in seal ? seal : { passphrase: checkPassphrase(readPassphrase(seal.passphraseFile)) };
}

function makeFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if ((statSync(dir).mode & 0o077) !== 0)
    throw new BackupError(`other users may look into ${dir}: chmod 700 ${dir}`);
}

/** Oldest first. */
function backupsIn(dir: string): string[] {
  return readdirSync(dir).filter(isFileName).sort();
}

/** By when they were written; one from ahead of the clock counts as any other. */
function hasOneWithin(seconds: number, dir: string, now: number): boolean {
  const writtenAt = backupsIn(dir).map((name) => statSync(join(dir, name)).mtimeMs / 1000);
  return writtenAt.some((time) => Math.abs(now - time) < seconds);
}
