import { ConfigError, type Environment, EXIT_CONFIG, loadConfig } from "../config.ts";

export interface CheckConfigIo {
  environment: Environment;
  /** One line, without its end. */
  print(line: string): void;
}

/** `europa-node check-config [path]`: says what a start would say of the config. Returns the exit code, 0 or 78. */
export function checkConfig(argv: readonly string[], { environment, print }: CheckConfigIo): number {
  const path = argv[0] ?? environment.configPath;
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
}
