import { existsSync, readFileSync, statSync } from "node:fs";
import { fileTrouble } from "./file-trouble.ts";
import { macaroonHex } from "./macaroon.ts";
import { isTable, type Table, tableAt } from "./table.ts";
import type { NamedFile } from "./types.ts";

/** Keys that hold a secret; each may come from the file named by `<key>_file` instead. */
const SECRETS = [
  ["nostr", "nsec"],
  ["cashu", "p2pk_privkey_hex"],
  ["lightning", "api_token"],
] as const;

const OTHER_FILES = [
  ["lightning", "cert_file"],
  ["backup", "passphrase_file"],
] as const;

export function isSecretKey(name: string): boolean {
  return SECRETS.some(([, key]) => key === name);
}

export interface ReadSecrets {
  /** The file with every secret in its own key. */
  file: Table;
  /** Secrets that could not be read: what else is wrong with their keys is no second problem. */
  unread: Set<string>;
  problems: string[];
  warnings: string[];
}

/** Fills in secrets that are given by file. `defaultNsecFile` counts when it exists and no nsec is given at all. */
export function readSecrets(file: Table, defaultNsecFile: string): ReadSecrets {
  const read: ReadSecrets = { file: { ...file }, unread: new Set(), problems: [], warnings: [] };
  for (const [sectionName, key] of SECRETS) {
    if (file[sectionName] !== undefined && !isTable(file[sectionName])) continue;
    const section = tableAt(file, sectionName);
    const source = sourceOf(section, sectionName, key, defaultNsecFile);
    if (source === undefined) continue;
    const value = readSecret(source, read);
    if (value === undefined) read.unread.add(`${sectionName}.${key}`);
    else if (section[key] !== undefined && section[key] !== value) {
      read.unread.add(`${sectionName}.${key}`);
      read.problems.push(
        `${sectionName}.${key}: differs from what ${sectionName}.${key}_file holds; write one of the two only`,
      );
    } else read.file[sectionName] = { ...section, [key]: value };
  }
  return read;
}

interface Source {
  path: string;
  /** The key that names it. */
  name: string;
  textOf(bytes: Buffer): string;
}

function sourceOf(
  section: Table,
  sectionName: string,
  key: string,
  defaultNsecFile: string,
): Source | undefined {
  const path = section[`${key}_file`];
  if (typeof path === "string") {
    const textOf = sectionName === "lightning" && section.backend === "lnd" ? macaroonHex : trimmedText;
    return { path, name: `${sectionName}.${key}_file`, textOf };
  }
  if (key !== "nsec" || section.nsec !== undefined || !existsSync(defaultNsecFile)) return undefined;
  return { path: defaultNsecFile, name: `nostr.nsec (from ${defaultNsecFile})`, textOf: trimmedText };
}

/** Files beside the config that it names, each by its key: what a backup must hold to be whole. */
export function filesNamedIn(file: Table, defaultNsecFile: string): NamedFile[] {
  const sources = SECRETS.flatMap(([sectionName, key]) => {
    const source = sourceOf(tableAt(file, sectionName), sectionName, key, defaultNsecFile);
    return source ? [{ name: `${sectionName}.${key}_file`, path: source.path }] : [];
  });
  const others = OTHER_FILES.flatMap(([sectionName, key]) => {
    const path = tableAt(file, sectionName)[key];
    return typeof path === "string" ? [{ name: `${sectionName}.${key}`, path }] : [];
  });
  return [...sources, ...others];
}

function trimmedText(bytes: Buffer): string {
  return bytes.toString("utf8").trim();
}

/** Problems do not show the path: a secret may have been written where its file's name belongs. */
function readSecret({ path, name, textOf }: Source, read: ReadSecrets): string | undefined {
  try {
    const value = textOf(readFileSync(path));
    if (value === "") {
      read.problems.push(`${name}: the file is empty; write the secret into it`);
      return undefined;
    }
    const warning = openFileWarning(path, name);
    if (warning) read.warnings.push(warning);
    return value;
  } catch (error) {
    read.problems.push(
      `${name}: the file ${fileTrouble(error)}; write the path of one that holds the secret and that this user may read`,
    );
    return undefined;
  }
}

/** `undefined` when nobody but owner and group may read the file. */
export function openFileWarning(path: string, name: string): string | undefined {
  if ((statSync(path).mode & 0o004) === 0) return undefined;
  return `${name}: ${path} holds a secret and every user of this machine may read it; run: chmod 600 ${path}`;
}

/** Whether the file itself, rather than other files, holds a secret. */
export function holdsSecret(file: Table): boolean {
  return SECRETS.some(([section, key]) => typeof tableAt(file, section)[key] === "string");
}
