import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { ensurePrivateFile } from "./private-file.ts";

export class AlreadyRunningError extends Error {
  constructor(path: string) {
    super(`another europa-node already runs on the database ${path}: stop it first`);
    this.name = "AlreadyRunningError";
  }
}

/**
 * Holds an exclusive transaction on `<path>.lock` for as long as the process lives and keeps what is returned, so
 * that a second daemon on the same book refuses to start. The lock dies with the process, however it ends. Throws
 * `AlreadyRunningError`.
 */
export function lockInstance(path: string): { release(): void } {
  ensurePrivateFile(`${path}.lock`);
  const lock = new Database(`${path}.lock`, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    if (cause instanceof Database.SqliteError && cause.code === "SQLITE_BUSY")
      throw new AlreadyRunningError(path);
    throw cause;
  }
  return { release: () => lock.close() };
}

/** Whether a process holds the lock now. Takes nothing and makes nothing. */
export function isLocked(path: string): boolean {
  if (!existsSync(`${path}.lock`)) return false;
  const lock = new Database(`${path}.lock`, { readonly: true, timeout: 0 });
  try {
    lock.pragma("schema_version");
    return false;
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code === "SQLITE_BUSY") return true;
    throw error;
  } finally {
    lock.close();
  }
}
