import { ConfigError, loadConfig } from "../config.ts";
import type { CommandIo } from "./command.ts";

/** The config of this environment; or undefined, once it is told what is wrong: the command ends with `EXIT_CONFIG`. */
export function loadOrComplain({
  environment,
  complain,
}: Pick<CommandIo, "environment" | "complain">): ReturnType<typeof loadConfig> | undefined {
  try {
    return loadConfig(environment.configPath, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const warning of error.warnings) complain(`warning: ${warning}`);
    for (const problem of error.problems) complain(problem);
    return undefined;
  }
}
