import type * as z from "zod";
import { ConfigError, EXIT_CONFIG, loadConfig } from "../config.ts";
import { askDaemon, NoDaemonError } from "../control/client.ts";
import { controlPath } from "../control/control-path.ts";
import type { CommandIo } from "./command.ts";
import { EXIT_UNAVAILABLE } from "./exit-codes.ts";

/** The exit codes of whatever asks the daemon. */
export const askingExits = {
  [EXIT_UNAVAILABLE]: "no daemon answers",
  [EXIT_CONFIG]: "the config is wrong, so it is not known which daemon",
};

/** Asks the daemon of this configuration, and hands the answer on; or says why not, and gives the exit code. */
export async function askRunningDaemon<T>(
  { environment, complain }: CommandIo,
  verb: string,
  schema: z.ZodType<T>,
  answered: (answer: T) => number,
  request?: unknown,
): Promise<number> {
  let databasePath: string;
  try {
    databasePath = loadConfig(environment.configPath, environment).config.db.path;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) complain(problem);
    return EXIT_CONFIG;
  }
  try {
    return answered(await askDaemon(controlPath(databasePath), verb, schema, request));
  } catch (error) {
    if (!(error instanceof NoDaemonError)) throw error;
    complain(error.message);
    return EXIT_UNAVAILABLE;
  }
}
