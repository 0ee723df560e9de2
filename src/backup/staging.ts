import { closeSync, existsSync, linkSync, mkdirSync, openSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { BackupError } from "./backup-error.ts";
import { writeTrouble } from "./write-trouble.ts";

/** What SQLite keeps beside a book: with another book's it would be damaged. */
const SIDES = ["-wal", "-shm", "-journal"];

export type Staging = ReturnType<typeof createStaging>;

/** Files that stand beside their places until all are there, and are put in place without overwriting anything. */
export function createStaging() {
  const staged: { unfinished: string; path: string }[] = [];
  const madeFolders: string[] = [];

  /** Folders that are missing, outermost first. */
  function makeFolders(folder: string): void {
    if (existsSync(folder)) return;
    makeFolders(dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
    madeFolders.push(folder);
  }

  return {
    /** Throws `BackupError` that names what stands already. */
    refuseToOverwrite(paths: readonly string[]): void {
      const standing = paths
        .flatMap((path) => [path, ...SIDES.map((side) => path + side)])
        .filter(existsSync);
      if (standing.length === 0) return;
      throw new BackupError(
        `nothing is overwritten, and these stand already: ${standing.join(", ")}; move them away, or restore with --to`,
      );
    },
    /** Where the file is to be written that will stand at `path`: it is there, empty, mode 0600. */
    add(path: string): string {
      const unfinished = `${path}.restoring-${process.pid}`;
      try {
        makeFolders(dirname(path));
        closeSync(openSync(unfinished, "wx", 0o600));
      } catch (cause) {
        throw new BackupError(`${path} could not be written: ${writeTrouble(cause)}`, { cause });
      }
      staged.push({ unfinished, path });
      return unfinished;
    },
    /** All or none. Answers by their paths. */
    putInPlace(): string[] {
      const placed: string[] = [];
      try {
        for (const { unfinished, path } of staged) {
          linkSync(unfinished, path);
          placed.push(path);
        }
        madeFolders.length = 0;
        return placed;
      } catch (cause) {
        for (const path of placed) rmSync(path, { force: true });
        throw new BackupError("a file could not be put in place: something took it meanwhile", { cause });
      }
    },
    /** Takes away what is not in place. */
    clear(): void {
      for (const { unfinished } of staged) {
        for (const side of ["", ...SIDES]) rmSync(unfinished + side, { force: true });
      }
      for (const folder of madeFolders.reverse()) removeEmpty(folder);
    },
  };
}

/** What somebody else has put a file into meanwhile stays. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {}
}
