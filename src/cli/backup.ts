import { resolve } from "node:path";
import * as z from "zod";
import { isRecipient, type Seal } from "../backup/age.ts";
import { BackupError } from "../backup/backup-error.ts";
import { fileNameOf } from "../backup/file-name.ts";
import { type MadeBackup, makeBackup } from "../backup/make-backup.ts";
import { checkPassphrase, readPassphrase } from "../backup/passphrase.ts";
import { writeTrouble } from "../backup/write-trouble.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config/types.ts";
import { EXIT_CONFIG } from "../config.ts";
import { askDaemon, NoDaemonError } from "../control/client.ts";
import { controlPath } from "../control/control-path.ts";
import { copyBook, removeCopy } from "../db/copy-book.ts";
import { AlreadyRunningError, lockInstance } from "../db/instance-lock.ts";
import { openExistingBook } from "../db/open-book.ts";
import { interfaceKeyOf } from "../wireguard/private-key.ts";
import { type CommandIo, command, json, UsageError } from "./command.ts";
import { EXIT_UNAVAILABLE, EXIT_UNKNOWN } from "./exit-codes.ts";
import { loadOrComplain } from "./load-or-complain.ts";
import { askSecret } from "./secret.ts";

const copySchema = z.object({ path: z.string(), madeAt: z.number() });
type Copy = z.infer<typeof copySchema>;

export const backup = command({
  name: "backup",
  group: "Your host",
  summary: "put book, config and keys into one encrypted file, while the daemon sells or stands still",
  about: [
    "Encrypted in age's format: to --recipient, or to the config's backup.recipient, or else to a passphrase, which is",
    "asked for on the terminal. The running daemon makes backups by itself when backup.every is set.",
    "docs/backup.md says what is in the file, and how it is opened without europa-node.",
  ],
  options: {
    out: { summary: "the file to write; europa-node-<time>.age here when left out", value: "file" },
    recipient: { summary: "an age public key: its private key alone opens the file", value: "age1…" },
    "passphrase-file": {
      summary: "the passphrase is this file's first line (/dev/fd/3 works)",
      value: "file",
    },
    json,
  },
  exits: {
    0: "made, and whole",
    1: "not made",
    [EXIT_UNKNOWN]: "made, but without a key that could not be read",
    [EXIT_UNAVAILABLE]: "a daemon runs and does not answer",
    [EXIT_CONFIG]: "the config is wrong, so it is not known what to back up",
  },
  run: async (given, io) => {
    const loaded = loadOrComplain(io);
    if (loaded === undefined) return EXIT_CONFIG;
    const { config } = loaded;
    try {
      const seal = await sealFor(given, config);
      const made = await makeWith(config, seal, given.out);
      for (const line of given.json ? [JSON.stringify(made)] : inWords(made)) io.print(line);
      return made.absent.length === 0 ? 0 : EXIT_UNKNOWN;
    } catch (error) {
      return explain(error, io);
    }
  },
});

/** The exit code for what backup and restore may end in; throws what they may not. */
export function explain(error: unknown, { complain }: CommandIo): number {
  if (error instanceof NoDaemonError) {
    complain(error.message);
    return EXIT_UNAVAILABLE;
  }
  if (!(error instanceof BackupError)) throw error;
  complain(error.message);
  return 1;
}

async function makeWith(config: Config, seal: Seal, out: string | undefined): Promise<MadeBackup> {
  const copy = await copyOf(config.db.path);
  try {
    return await makeBackup(
      config,
      await interfaceKeyOf(config.wireguard),
      copy,
      seal,
      resolve(out ?? fileNameOf(copy.madeAt)),
    );
  } finally {
    removeCopy(copy.path);
  }
}

/** The running daemon's own copy; or, when none runs, one that is made here, with the book locked against a start. */
async function copyOf(databasePath: string): Promise<Copy> {
  try {
    return await askDaemon(controlPath(databasePath), "book-copy", copySchema);
  } catch (noDaemon) {
    if (!(noDaemon instanceof NoDaemonError)) throw noDaemon;
    const book = openExistingBook(databasePath);
    if (book === undefined) throw new BackupError(`${databasePath} holds no book: nothing was sold here yet`);
    try {
      const lock = lockOr(noDaemon, databasePath);
      return await copyBook(book, systemClock.now)
        .catch((cause: unknown) => {
          throw new BackupError(`the book could not be copied: ${writeTrouble(cause)}`, { cause });
        })
        .finally(() => lock.release());
    } finally {
      book.close();
    }
  }
}

function lockOr(noDaemon: NoDaemonError, databasePath: string): { release(): void } {
  try {
    return lockInstance(databasePath);
  } catch (error) {
    throw error instanceof AlreadyRunningError ? noDaemon : error;
  }
}

async function sealFor(
  given: { recipient?: string | undefined; "passphrase-file"?: string | undefined },
  { backup: { seal } }: Config,
): Promise<Seal> {
  const { recipient, "passphrase-file": passphraseFile } = given;
  if (recipient !== undefined && passphraseFile !== undefined) {
    throw new UsageError("--recipient and --passphrase-file exclude each other");
  }
  if (recipient !== undefined) {
    if (!isRecipient(recipient)) throw new UsageError("--recipient takes an age public key, age1…");
    return { recipient };
  }
  if (passphraseFile !== undefined) return { passphrase: checkPassphrase(readPassphrase(passphraseFile)) };
  if (seal !== undefined && "recipient" in seal) return seal;
  if (seal !== undefined) return { passphrase: checkPassphrase(readPassphrase(seal.passphraseFile)) };
  return { passphrase: await askTwice() };
}

async function askTwice(): Promise<string> {
  const first = await askSecret("Passphrase for the backup: ");
  if (first === undefined)
    throw new UsageError(
      "there is no terminal to ask for a passphrase: give --recipient or --passphrase-file",
    );
  checkPassphrase(first);
  if ((await askSecret("The same once more: ")) !== first)
    throw new BackupError("the two differ: nothing was written");
  return first;
}

function inWords({ path, bytes, absent }: MadeBackup): string[] {
  return [
    `${path}: ${Math.ceil(bytes / 1024)} KiB`,
    ...absent.map(({ name, why }) => `not in it: ${name}: ${why}`),
  ];
}
