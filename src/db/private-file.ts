import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Makes the file if it is not there, and its folder, for nobody but its owner; takes others' rights off what is there. */
export function ensurePrivateFile(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
  makePrivate(path);
}

/** Does nothing when the file is not there. Throws when it is readable by others and somebody else's. */
export function makePrivate(path: string): void {
  if (!existsSync(path) || (statSync(path).mode & 0o077) === 0) return;
  try {
    chmodSync(path, 0o600);
  } catch (cause) {
    throw new Error(`${path} can be read by other users and is not ours to change: chmod 600 ${path}`, {
      cause,
    });
  }
}
