import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileTrouble } from "../config/file-trouble.ts";
import type { Config } from "../config/types.ts";
import { version } from "../version.ts";
import type { Member } from "./archive.ts";
import { BackupError } from "./backup-error.ts";
import { FORMAT_VERSION, type Manifest } from "./manifest.ts";
import { isKeyFile, isPlausible } from "./plausible.ts";

/** Config and keys are small; what is larger was named by mistake. */
export const MAX_SMALL_BYTES = 1024 * 1024;
export const INTERFACE_KEY = "wireguard.private_key";

/** What a backup takes from the config. */
export type BackedUp = Pick<Config, "path" | "namedFiles" | "db"> & {
  nostr: Pick<Config["nostr"], "pubkey">;
};

/**
 * The archive's members in their order, the config last: without it no daemon starts on half of them. `interfaceKey`,
 * in base64, is undefined when it cannot be had, and null where there is no interface. Throws `BackupError` without a
 * readable config.
 */
export function collect(
  config: BackedUp,
  interfaceKey: string | undefined | null,
  copy: { path: string; madeAt: number },
): { manifest: Manifest; members: Member[] } {
  const text = readSmall(config.path);
  if (typeof text === "string") throw new BackupError(`${config.path}: ${text}`);
  const keys: Manifest["keys"] = [];
  const absent: Manifest["absent"] = [];
  const contents: Member[] = [];
  const leftOut = "it opens this backup: whoever restores knows it, and writes it there again";
  const add = (name: string, path: string, content: Buffer | string) => {
    if (typeof content === "string") {
      absent.push({ name, why: content });
      return;
    }
    const member = `keys/${name}`;
    keys.push({ member, name, path: resolve(path) });
    contents.push({ name: member, content });
  };
  for (const { name, path } of config.namedFiles)
    add(name, path, isKeyFile(name) ? readKey(name, path) : leftOut);
  if (interfaceKey !== null) {
    const path = join(dirname(resolve(config.path)), "wg-server.key");
    const unread = "`wg show` does not give it to this user";
    add(INTERFACE_KEY, path, interfaceKey === undefined ? unread : Buffer.from(`${interfaceKey}\n`));
  }
  const bytes = statSync(copy.path).size;
  const manifest: Manifest = {
    format: "europa-node-backup",
    version: FORMAT_VERSION,
    madeAt: copy.madeAt,
    daemonVersion: version,
    pubkey: config.nostr.pubkey,
    book: { member: "book.db", path: resolve(config.db.path), bytes },
    config: { member: "config.toml" },
    keys,
    absent,
  };
  return {
    manifest,
    members: [
      { name: "manifest.json", content: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) },
      ...contents,
      { name: "book.db", content: { path: copy.path, bytes } },
      { name: "config.toml", content: text },
    ],
  };
}

/** The content, or why it is not taken. */
function readKey(name: string, path: string): Buffer | string {
  const content = readSmall(path);
  if (typeof content === "string" || isPlausible(name, content)) return content;
  return "it is not in a form that a restore would put in place; keep a copy of it yourself";
}

/** The content, or why there is none. */
function readSmall(path: string): Buffer | string {
  try {
    const content = readFileSync(path);
    return content.length <= MAX_SMALL_BYTES ? content : "is larger than any key or config";
  } catch (error) {
    return fileTrouble(error);
  }
}
