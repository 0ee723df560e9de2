import { dirname } from "node:path";
import type { Logger } from "pino";
import { RESERVE_MIB, roomIn } from "../db/disk-room.ts";
import { unwritableCode } from "../db/unwritable.ts";

export type DatabaseProbe = ReturnType<typeof createDatabaseProbe>;

interface ProbeParts {
  path: string;
  /** A small write to the book. */
  write: () => void;
  logger: Logger;
  onChange: () => void;
}

/**
 * Knows from a small write, made every tick, whether the book can be written: a full or read-only disk shows here.
 * One that is nearly full is trouble already, so that what was sold by then can still be written down.
 */
export function createDatabaseProbe({ path, write, logger, onChange }: ProbeParts) {
  let trouble: string | undefined;
  let unwritable: string | undefined;

  return {
    probe(): void {
      const before = trouble;
      unwritable = writeFailure(write);
      trouble = unwritable ?? lackOfRoom(path);
      if (trouble === before) return;
      if (trouble === undefined) logger.info({ event: "database-well" }, "the database can be written again");
      else logger.error({ event: "database-trouble" }, trouble);
      onChange();
    },
    /** Why nothing new may be sold. */
    trouble: () => trouble,
    writable: () => unwritable === undefined,
  };
}

function writeFailure(write: () => void): string | undefined {
  try {
    write();
    return undefined;
  } catch (error) {
    return `the database cannot be written (${unwritableCode(error) ?? "unknown error"})`;
  }
}

function lackOfRoom(path: string): string | undefined {
  if (roomIn(dirname(path)) >= 0) return undefined;
  return `the database cannot grow: its disk has less than ${RESERVE_MIB} MiB left`;
}
