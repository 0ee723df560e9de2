import * as z from "zod";
import { ConfigError, EXIT_CONFIG, loadConfig } from "../config.ts";
import { printAnswer } from "./answer.ts";
import { command, json } from "./command.ts";

/** One line each, as the daemon would say it. */
export const checkedConfigSchema = z.object({
  path: z.string(),
  ok: z.boolean(),
  problems: z.array(z.string()),
  warnings: z.array(z.string()),
});

type CheckedConfig = z.infer<typeof checkedConfigSchema>;

export const checkConfig = command({
  name: "check-config",
  group: "Before the start",
  summary: "say what a start would say of the config, change nothing",
  arguments: { file: { optional: true, summary: "the config; EUROPA_NODE_CONFIG unless told" } },
  options: { json },
  exits: {
    0: "the daemon can start with it",
    [EXIT_CONFIG]: "it cannot; each line says what to write instead",
  },
  run({ file, json: asJson }, io) {
    const path = file ?? io.environment.configPath;
    const checked = check(() => loadConfig(path, io.environment), path);
    printAnswer(io, asJson, checked, inWords);
    return checked.ok ? 0 : EXIT_CONFIG;
  },
});

function check(load: () => { warnings: string[] }, path: string): CheckedConfig {
  try {
    return { path, ok: true, problems: [], warnings: load().warnings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { path, ok: false, problems: error.problems, warnings: error.warnings };
  }
}

function inWords({ path, ok, problems, warnings }: CheckedConfig): string[] {
  return [
    ...warnings.map((warning) => `warning: ${warning}`),
    ...problems.map((problem) => `problem: ${problem}`),
    ...(ok ? [`${path}: the daemon can start with this`] : []),
  ];
}
