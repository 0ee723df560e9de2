import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import { BackupError } from "./backup-error.ts";

/** One file of the archive: its content, or where on the disk it is. */
export interface Member {
  name: string;
  content: Buffer | { path: string; bytes: number };
}

/** Takes a member as it comes; it reads all of it, or throws. */
export type TakeMember = (name: string, bytes: number, content: Readable) => Promise<void>;

/** A tar of these files, written piece by piece. What goes wrong on the way destroys the stream. */
export function pack(members: readonly Member[], madeAt: number): Readable {
  const archive = tar.pack();
  const writeAll = async () => {
    for (const { name, content } of members) {
      const header = { name, mode: 0o600, mtime: new Date(madeAt * 1000) };
      if (Buffer.isBuffer(content)) archive.entry(header, content);
      else await pipeline(createReadStream(content.path), archive.entry({ ...header, size: content.bytes }));
    }
    archive.finalize();
  };
  writeAll().catch((error: unknown) => archive.destroy(error instanceof Error ? error : undefined));
  return Readable.from(archive, { objectMode: false });
}

/** Hands over each member in turn. Throws `BackupError` for what is no tar, or ends early. */
export async function unpack(archive: Readable, take: TakeMember): Promise<void> {
  const extract = tar.extract();
  const members = async () => {
    for await (const entry of extract) {
      const { name, size, type } = entry.header;
      if (type !== "file")
        throw new BackupError("this is no backup of europa-node: it holds more than files");
      await take(name, size, Readable.from(entry, { objectMode: false }));
    }
  };
  try {
    await Promise.all([pipeline(archive, extract), members()]);
  } catch (cause) {
    archive.destroy();
    if (cause instanceof BackupError) throw cause;
    if (isOfTheDisk(cause)) throw cause;
    throw new BackupError("the backup is cut short or damaged: use another copy of it", { cause });
  }
}

function isOfTheDisk(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EIO"].includes(
    String((error as { code?: unknown }).code),
  );
}
