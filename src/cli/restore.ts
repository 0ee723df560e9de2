import { readFileSync } from "node:fs";
import { nip19 } from "nostr-tools";
import { isIdentity, type Opener } from "../backup/age.ts";
import { BackupError } from "../backup/backup-error.ts";
import { readPassphrase } from "../backup/passphrase.ts";
import { howToOpen, type Restored, restoreBackup } from "../backup/restore-backup.ts";
import { fileTrouble } from "../config/file-trouble.ts";
import { type RestoreReport, restoreReportSchema } from "../daemon/restore-report.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { explain } from "./backup.ts";
import { type CommandIo, command, json, UsageError } from "./command.ts";
import { EXIT_UNKNOWN } from "./exit-codes.ts";
import { askSecret } from "./secret.ts";
import { moment } from "./words.ts";

export const restore = command({
  name: "restore",
  group: "Your host",
  summary: "put book, config and keys of a backup in their places, where nothing stands yet",
  about: [
    "The book and the keys go to the paths that the config in the backup names, the config to EUROPA_NODE_CONFIG. Run it",
    "as the daemon's user. The daemon then starts paused: it asks mints, relays and node what happened since the backup,",
    "`europa-node restore --report` says what came of it, and `europa-node listing resume` sells again (docs/backup.md).",
  ],
  arguments: { file: { summary: "the backup", optional: true } },
  options: {
    to: { summary: "write beneath this folder instead, as if it were /", value: "folder" },
    identity: { summary: "age private keys, one a line, for a backup to a recipient", value: "file" },
    "passphrase-file": {
      summary: "the passphrase is this file's first line (/dev/fd/3 works)",
      value: "file",
    },
    report: { summary: "ask the daemon that runs on a restored book what it knows of the time since" },
    json,
  },
  exits: {
    0: "restored, or everybody answered and nothing is lost",
    1: "not restored, and nothing was written",
    [EXIT_UNKNOWN]: "--report: ecash is lost, or somebody did not answer",
    ...askingExits,
  },
  run: async ({ file, ...given }, io) => {
    if (given.report) return showReport(given.json, io);
    if (file === undefined) throw new UsageError("<file> is missing: the backup");
    try {
      const restored = await restoreBackup({
        file,
        by: await openerFor(file, given),
        configPath: io.environment.configPath,
        beneath: given.to,
      });
      for (const line of given.json ? [JSON.stringify(restored)] : inWords(restored)) io.print(line);
      return 0;
    } catch (error) {
      return explain(error, io);
    }
  },
});

function showReport(asJson: boolean, io: CommandIo): Promise<number> {
  return askRunningDaemon(io, "restore-report", restoreReportSchema, (report) => {
    for (const line of asJson ? [JSON.stringify(report)] : reportInWords(report)) io.print(line);
    const { since, unknownSat, lightning, openSales, silent } = report;
    return since.lostSat + unknownSat + openSales + silent.length === 0 && lightning !== "silent"
      ? 0
      : EXIT_UNKNOWN;
  });
}

function reportInWords(report: RestoreReport): string[] {
  const { backupAt, paused, sessions, since, spentSat, unknownSat, openSales, unknown } = report;
  if (backupAt === null) return ["This book was never restored."];
  return [
    `This book goes on from a backup of ${moment(backupAt)}.`,
    `live sessions: ${sessions.live}, ${sessions.up === "unknown" ? "it is unknown how many are" : sessions.up} on the interface`,
    `ecash sold since, by the wallet's history: ${since.soldSat} sat in ${since.entries} entries`,
    `  in the wallet on the relays: ${since.walletSat} sat`,
    `  lost: ${since.lostSat} sat`,
    `proofs of the backup that are spent: ${spentSat} sat; of which nobody says anything: ${unknownSat} sat`,
    `sales of the backup that are still open: ${openSales}`,
    ...unknown.map((what) => `not known: ${what}`),
    paused ? "Sales are paused: `europa-node listing resume` ends it." : "Sales are not paused.",
  ];
}

interface HowToOpen {
  identity: string | undefined;
  "passphrase-file": string | undefined;
}

async function openerFor(
  file: string,
  { identity, "passphrase-file": passphraseFile }: HowToOpen,
): Promise<Opener> {
  if (howToOpen(file) === "identity") {
    if (identity === undefined)
      throw new UsageError("this backup is to a recipient: give its private key with --identity");
    return { identities: readIdentities(identity) };
  }
  if (identity !== undefined) throw new UsageError("this backup opens by a passphrase, not by --identity");
  if (passphraseFile !== undefined) return { passphrase: readPassphrase(passphraseFile) };
  const passphrase = await askSecret("Passphrase of the backup: ");
  if (passphrase === undefined)
    throw new UsageError("there is no terminal to ask for the passphrase: give --passphrase-file");
  return { passphrase };
}

function readIdentities(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new BackupError(`the identity file ${fileTrouble(cause)}: ${path}`, { cause });
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const identities = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (identities.length > 0 && identities.every(isIdentity)) return identities;
  throw new BackupError(`${path} is no identity file of age: it has lines that begin with AGE-SECRET-KEY-1`);
}

function inWords({ madeAt, pubkey, written, absent, interfaceKeyPath }: Restored): string[] {
  return [
    `Backup of ${moment(madeAt)}, of ${nip19.npubEncode(pubkey)}.`,
    ...written.map((path) => `written: ${path}`),
    ...absent.map(({ name, why }) => `not in the backup: ${name}: ${why}`),
    ...(interfaceKeyPath === undefined
      ? []
      : [`The interface's key: PRIVATE_KEY_FILE=${interfaceKeyPath} sh scripts/wg-up.sh`]),
    "The daemon starts paused; `europa-node restore --report` then says what happened since the backup.",
  ];
}
