import { closeSync, createReadStream, createWriteStream, openSync, readSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { fileTrouble } from "../config/file-trouble.ts";
import { readCopiedAt } from "../db/copy-book.ts";
import { type Opener, open, openedBy } from "./age.ts";
import { unpack } from "./archive.ts";
import { BackupError } from "./backup-error.ts";
import { INTERFACE_KEY, MAX_SMALL_BYTES } from "./collect.ts";
import { FORMAT_VERSION, type Manifest, manifestSchema } from "./manifest.ts";
import { isPlausible } from "./plausible.ts";
import { createStaging, type Staging } from "./staging.ts";

export interface RestoreRequest {
  file: string;
  by: Opener;
  /** Where the config goes. */
  configPath: string;
  /** Everything goes beneath this folder instead of to its own place. */
  beneath: string | undefined;
}

export interface Restored {
  madeAt: number;
  pubkey: string;
  /** In the order in which they were put in place. */
  written: string[];
  absent: Manifest["absent"];
  /** Where the interface's key is, when the backup has it. */
  interfaceKeyPath: string | undefined;
}

/** How `file` wants to be opened. Throws `BackupError` for one that is no backup. */
export function howToOpen(file: string): "passphrase" | "identity" {
  const beginning = Buffer.alloc(256);
  try {
    const fd = openSync(file, "r");
    try {
      readSync(fd, beginning, 0, beginning.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new BackupError(`${file}: ${fileTrouble(cause)}`, { cause });
  }
  const by = openedBy(beginning);
  if (by === undefined)
    throw new BackupError(`${file} is no backup of europa-node: it is not in age's format`);
  return by;
}

/**
 * Puts book, config and keys in place, once all of the file was read and is sound. Throws `BackupError`; then nothing
 * is written. Overwrites nothing.
 */
export async function restoreBackup(request: RestoreRequest): Promise<Restored> {
  const { file, by, configPath, beneath } = request;
  howToOpen(file);
  const plain = await open(createReadStream(file), by);
  const placeOf = (path: string) =>
    beneath === undefined ? resolve(path) : join(resolve(beneath), resolve(path));
  const staging = createStaging();
  let manifest: Manifest | undefined;
  const seen = new Set<string>();
  try {
    await unpack(plain, async (name, bytes, content) => {
      if (manifest === undefined) {
        manifest = await readManifest(name, bytes, content);
        staging.refuseToOverwrite(Object.values(placesOf(manifest, configPath)).map(placeOf));
        return;
      }
      const path = placesOf(manifest, configPath)[name];
      if (path === undefined || seen.has(name)) throw foreign();
      seen.add(name);
      await stage(name, bytes, content, placeOf(path), staging);
    });
    if (manifest === undefined) throw foreign();
    const places = placesOf(manifest, configPath);
    if (Object.keys(places).some((name) => !seen.has(name))) throw foreign();
    const key = manifest.keys.find(({ name }) => name === INTERFACE_KEY);
    return {
      madeAt: manifest.madeAt,
      pubkey: manifest.pubkey,
      written: staging.putInPlace(),
      absent: manifest.absent,
      interfaceKeyPath: key && placeOf(key.path),
    };
  } finally {
    staging.clear();
  }
}

/** Where each member goes. */
function placesOf({ book, keys }: Manifest, configPath: string): Record<string, string> {
  return {
    ...Object.fromEntries(keys.map(({ member, path }) => [member, path])),
    [book.member]: book.path,
    "config.toml": configPath,
  };
}

async function readManifest(name: string, bytes: number, content: Readable): Promise<Manifest> {
  if (name !== "manifest.json" || bytes > MAX_SMALL_BYTES) throw foreign();
  const given = jsonOf((await buffer(content)).toString("utf8")) as { format?: unknown; version?: unknown };
  if (given?.format === "europa-node-backup" && Number(given.version) > FORMAT_VERSION) {
    throw new BackupError(
      `this backup is of format ${given.version}, and this europa-node knows ${FORMAT_VERSION}: use a newer one`,
    );
  }
  const parsed = manifestSchema.safeParse(given);
  if (!parsed.success) throw foreign();
  return parsed.data;
}

/** `path` gets nothing but what can be a book or a key. */
async function stage(
  name: string,
  bytes: number,
  content: Readable,
  path: string,
  staging: Staging,
): Promise<void> {
  if (name === "book.db") {
    const unfinished = staging.add(path);
    await pipeline(content, createWriteStream(unfinished, { flags: "r+", flush: true }));
    if (readCopiedAt(unfinished) === undefined) throw foreign();
    return;
  }
  if (bytes > MAX_SMALL_BYTES) throw foreign();
  const small = await buffer(content);
  if (name !== "config.toml" && !isPlausible(name.slice("keys/".length), small)) throw foreign();
  writeFileSync(staging.add(path), small, { flush: true });
}

function foreign(): BackupError {
  return new BackupError("this is no backup of europa-node, or one that was tampered with");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
