import { readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import { checkDatabasePath } from "./config/database-path.ts";
import { fileTrouble } from "./config/file-trouble.ts";
import type { Findings } from "./config/findings.ts";
import { withoutIdle } from "./config/idle-sections.ts";
import { keyTree } from "./config/key-tree.ts";
import { resolveConfig } from "./config/resolve.ts";
import { configFileSchema } from "./config/schema.ts";
import { schemaProblems } from "./config/schema-problems.ts";
import { filesNamedIn, holdsSecret, openFileWarning, readSecrets } from "./config/secrets.ts";
import { type Table, withoutEmpty } from "./config/table.ts";
import { type Config, LOG_LEVELS, type LogLevel } from "./config/types.ts";
import { findUnfitValues } from "./config/unfit-values.ts";
import { unknownKeyWarnings } from "./config/unknown-keys.ts";

/** What the process is told outside its config file. */
export interface Environment {
  configPath: string;
  /** As given, unchecked. */
  logLevel: string;
  /** As given, unchecked; empty for the kernel's WireGuard. */
  wireguardMode: string;
  /** Read when no nsec is configured and the file exists. */
  defaultNsecFile: string;
}

/** Whether a terminal may be written to in colours (no-color.org). */
export function mayColor(): boolean {
  return !process.env.NO_COLOR;
}

/** Beside `mayColor` the only reader of `process.env`. */
export function readEnvironment(): Environment {
  return {
    configPath: process.env.EUROPA_NODE_CONFIG || "/etc/europa-node/config.toml",
    logLevel: process.env.LOG_LEVEL || "info",
    wireguardMode: process.env.EUROPA_OPERATOR_WIREGUARD_MODE ?? "",
    defaultNsecFile: "/etc/europa-node/secret/nsec",
  };
}

/** The daemon cannot start with this config (exit code 78, EX_CONFIG of sysexits.h). */
export class ConfigError extends Error {
  /** One line each: key, what is wrong, what to write instead. No secret is in them. */
  constructor(
    readonly problems: string[],
    readonly warnings: string[] = [],
  ) {
    super(problems.join("\n"));
    this.name = "ConfigError";
  }
}

export const EXIT_CONFIG = 78;

/** Reads, checks and resolves the config. Throws `ConfigError` with every problem found. */
export function loadConfig(path: string, environment: Environment): { config: Config; warnings: string[] } {
  const given = withoutEmpty(readToml(path)) as Table;
  const tree = keyTree();
  const active = withoutIdle(given);
  const secrets = readSecrets(active.file, environment.defaultNsecFile);
  const findings: Findings = {
    problems: [...secrets.problems],
    warnings: [...unknownKeyWarnings(given, tree), ...active.warnings, ...secrets.warnings],
  };
  const openFile = holdsSecret(given) ? openFileWarning(path, "the config file") : undefined;
  if (openFile) findings.warnings.push(openFile);
  const logLevel = readLogLevel(environment.logLevel, findings);
  const wireguardMode = readWireguardMode(environment.wireguardMode, findings);

  const unfit = findUnfitValues(secrets.file, tree).filter(({ name }) => !secrets.unread.has(name));
  findings.problems.push(...unfit.map(({ problem }) => problem));
  const parsed = configFileSchema.safeParse(secrets.file);
  if (!parsed.success) {
    const told = new Set([...unfit.map(({ name }) => name), ...secrets.unread]);
    const refused = schemaProblems(secrets.file, parsed.error.issues).filter(({ name }) => !told.has(name));
    throw new ConfigError(
      [...findings.problems, ...refused.map(({ problem }) => problem)],
      findings.warnings,
    );
  }
  const namedFiles = filesNamedIn(active.file, environment.defaultNsecFile);
  const around = { path, namedFiles, logLevel, wireguardMode, leftOutMethods: active.leftOut };
  const config = resolveConfig(parsed.data, around, findings);
  checkDatabasePath(config.db.path, findings);
  if (findings.problems.length > 0) throw new ConfigError(findings.problems, findings.warnings);
  return { config, warnings: findings.warnings };
}

function readToml(path: string): Table {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const mend = isMissing ? "copy config.example.toml there" : "make it a file that this user may read";
    throw new ConfigError([
      `${path}: ${fileTrouble(error)}; ${mend}, or name your file in EUROPA_NODE_CONFIG`,
    ]);
  }
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of its message quotes the line, which may hold a secret.
    const reason = error.message.split("\n")[0] ?? "";
    throw new ConfigError([
      `${path}: line ${error.line}, column ${error.column}: ${reason}; write valid TOML there`,
    ]);
  }
}

function readLogLevel(text: string, { warnings }: Findings): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase());
  if (level === undefined) warnings.push(`LOG_LEVEL: is not one of ${LOG_LEVELS.join(", ")}; taken as info`);
  return level ?? "info";
}

function readWireguardMode(text: string, { warnings }: Findings): "kernel" | "in-memory" {
  if (text === "in-memory") return text;
  if (text !== "" && text !== "kernel") {
    warnings.push("EUROPA_OPERATOR_WIREGUARD_MODE: is neither in-memory nor kernel; taken as kernel");
  }
  return "kernel";
}
