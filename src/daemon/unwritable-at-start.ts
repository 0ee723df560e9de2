import { unwritableCode } from "../db/unwritable.ts";
import { StartRefused } from "./start-refused.ts";

/** A start that fails because of the database's disk, with the mend; any other error as it is. */
export function inWordsOfDisk(error: unknown, databasePath: string): unknown {
  const code = unwritableCode(error) ?? fileCode(error, databasePath);
  if (code === undefined) return error;
  return new StartRefused(
    `the database ${databasePath} cannot be written (${code}): make room on its disk, or let the daemon write there. ` +
      "Nothing was changed, running tunnels stay up",
    1,
  );
}

function fileCode(error: unknown, databasePath: string): string | undefined {
  const { code, path } = (error ?? {}) as { code?: unknown; path?: unknown };
  const isOurs = typeof path === "string" && path.startsWith(databasePath);
  return isOurs && /^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM)$/.test(String(code)) ? String(code) : undefined;
}
