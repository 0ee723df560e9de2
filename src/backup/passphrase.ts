import { readFileSync } from "node:fs";
import { fileTrouble } from "../config/file-trouble.ts";
import { BackupError } from "./backup-error.ts";

const LEAST_CHARACTERS = 12;

/** The first line. Throws `BackupError`; the path may be of a descriptor, such as /dev/fd/3. */
export function readPassphrase(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new BackupError(`the file of the passphrase ${fileTrouble(cause)}: ${path}`, { cause });
  }
  return text.split(/\r?\n/, 1)[0] ?? "";
}

/** Throws `BackupError` for one that would soon be guessed: nothing else keeps the money in a copied file. */
export function checkPassphrase(passphrase: string): string {
  if ([...passphrase].length >= LEAST_CHARACTERS) return passphrase;
  throw new BackupError(
    `the passphrase has fewer than ${LEAST_CHARACTERS} characters: take five words, or a recipient's key`,
  );
}
