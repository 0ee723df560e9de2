import { type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Findings } from "./findings.ts";

const STICKY = 0o1000;
const WRITABLE_FOR_ALL = 0o002;

/** What is wrong with where the database stands, or is to stand. Nothing is made or changed. */
export function checkDatabasePath(path: string, { problems, warnings }: Findings): void {
  if (look(path)?.isDirectory()) {
    problems.push(`db.path: ${path} is a folder; write a file in it, such as ${join(path, "sessions.db")}`);
    return;
  }
  const folder = dirname(path);
  const mode = look(folder)?.mode ?? 0;
  if ((mode & WRITABLE_FOR_ALL) === 0 || (mode & STICKY) !== 0) return;
  warnings.push(
    `db.path: every user of this machine may take the database out of ${folder}; run: chmod 700 ${folder}`,
  );
}

/** What cannot be looked at is said by the one who opens it. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
