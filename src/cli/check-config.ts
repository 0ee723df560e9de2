import { ConfigError, EXIT_CONFIG, loadConfig } from "../config.ts";
import { command } from "./command.ts";

export const checkConfig = command({
  name: "check-config",
  group: "Before the start",
  summary: "say what a start would say of the config, change nothing",
  arguments: { file: { optional: true, summary: "the config; EUROPA_NODE_CONFIG unless told" } },
  exits: {
    0: "the daemon can start with it",
    [EXIT_CONFIG]: "it cannot; each line says what to write instead",
  },
  run({ file }, { environment, print }) {
    const path = file ?? environment.configPath;
    try {
      const { warnings } = loadConfig(path, environment);
      for (const warning of warnings) print(`warning: ${warning}`);
      print(`${path}: the daemon can start with this`);
      return 0;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const warning of error.warnings) print(`warning: ${warning}`);
      for (const problem of error.problems) print(`problem: ${problem}`);
      return EXIT_CONFIG;
    }
  },
});
