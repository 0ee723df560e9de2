import type * as z from "zod";
import { EXIT_CONFIG } from "../config.ts";
import { askDaemon, NoDaemonError } from "../control/client.ts";
import { controlPath } from "../control/control-path.ts";
import type { CommandIo } from "./command.ts";
import { EXIT_UNAVAILABLE } from "./exit-codes.ts";
import { loadOrComplain } from "./load-or-complain.ts";

/** The exit codes of whatever asks the daemon. */
export const askingExits = {
  [EXIT_UNAVAILABLE]: "no daemon answers",
  [EXIT_CONFIG]: "the config is wrong, so it is not known which daemon",
};

/** Asks the daemon of this configuration, and hands the answer on; or says why not, and gives the exit code. */
export async function askRunningDaemon<T>(
  io: CommandIo,
  verb: string,
  schema: z.ZodType<T>,
  answered: (answer: T) => number,
  request?: unknown,
): Promise<number> {
  const loaded = loadOrComplain(io);
  if (loaded === undefined) return EXIT_CONFIG;
  try {
    return answered(await askDaemon(controlPath(loaded.config.db.path), verb, schema, request));
  } catch (error) {
    if (!(error instanceof NoDaemonError)) throw error;
    io.complain(error.message);
    return EXIT_UNAVAILABLE;
  }
}
