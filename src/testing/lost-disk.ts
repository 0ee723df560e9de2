import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { MadeBackup } from "../backup/make-backup.ts";
import type { Restored } from "../backup/restore-backup.ts";
import type { Ended, Operator } from "./operator.ts";

/** An operator who makes backups to a key of his own, loses his disk, and restores. */
export interface CarefulOperator {
  recipient: string;
  identityFile: string;
  /** Throws unless all of it is in the file, whose path it gives back. */
  backUp(name: string): Promise<string>;
  /** The disk is gone, and with it everything of the daemon's. */
  loseTheDisk(): void;
  restore(file: string): Promise<Restored>;
}

export async function createCarefulOperator(operator: Operator): Promise<CarefulOperator> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const identityFile = join(operator.folder, "identity.txt");
  writeFileSync(identityFile, `# made for a test\n${identity}\n`, { mode: 0o600 });

  return {
    recipient,
    identityFile,
    async backUp(name) {
      const out = join(operator.folder, name);
      const argv = ["backup", "--out", out, "--recipient", recipient, "--json"];
      const made = answerOf<MadeBackup>(await operator.command(argv, 60_000));
      if (made.path !== out || made.absent.length > 0) throw new Error(`not whole: ${JSON.stringify(made)}`);
      return out;
    },
    loseTheDisk() {
      const lost = join(operator.folder, "lost");
      mkdirSync(lost);
      for (const folder of ["data", "config"]) {
        renameSync(join(operator.folder, folder), join(lost, folder));
      }
    },
    restore: async (file) =>
      answerOf<Restored>(
        await operator.command(["restore", file, "--identity", identityFile, "--json"], 60_000),
      ),
  };
}

function answerOf<T>({ exitCode, stdout, stderr }: Ended): T {
  if (exitCode !== 0 || stderr !== "") throw new Error(`it ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
