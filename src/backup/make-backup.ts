import { createWriteStream, existsSync, linkSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { roomIn } from "../db/disk-room.ts";
import { type Seal, seal } from "./age.ts";
import { pack } from "./archive.ts";
import { BackupError } from "./backup-error.ts";
import { type BackedUp, collect } from "./collect.ts";
import type { Manifest } from "./manifest.ts";
import { writeTrouble } from "./write-trouble.ts";

export interface MadeBackup {
  path: string;
  bytes: number;
  madeAt: number;
  /** What is not in it, each with why. */
  absent: Manifest["absent"];
}

/**
 * Writes one encrypted file, mode 0600, in its place only when it is whole and on the disk. The copy of the book is
 * the caller's to remove. Throws `BackupError`, with nothing left behind; never overwrites.
 */
export async function makeBackup(
  config: BackedUp,
  interfaceKey: string | undefined | null,
  copy: { path: string; madeAt: number },
  to: Seal,
  path: string,
  signal?: AbortSignal,
): Promise<MadeBackup> {
  const { manifest, members } = collect(config, interfaceKey, copy);
  const unfinished = `${path}.unfinished`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path))
    throw new BackupError(`${path} stands already, and is not overwritten: name another file`);
  if (roomIn(dirname(path)) < manifest.book.bytes)
    throw new BackupError(`${path} would fill its disk: make room, or name another one`);
  try {
    rmSync(unfinished, { force: true });
    const fd = openSync(unfinished, "wx", 0o600);
    await pipeline(
      await seal(pack(members, copy.madeAt), to),
      createWriteStream(unfinished, { fd, flush: true }),
      { signal },
    );
    linkSync(unfinished, path);
  } catch (cause) {
    if (cause instanceof BackupError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new BackupError(`${path} stands already, and is not overwritten`, { cause });
    throw new BackupError(`${path} could not be written: ${writeTrouble(cause)}`, { cause });
  } finally {
    rmSync(unfinished, { force: true });
  }
  return { path, bytes: statSync(path).size, madeAt: copy.madeAt, absent: manifest.absent };
}
