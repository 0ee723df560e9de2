import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { KILL_AT } from "../boundary.ts";

const root = join(import.meta.dirname, "../../..");
const bundle = join(root, "dist/chaos.cjs");

/** Beside the config: what all lives have said, for whoever looks into a loss. */
const LOG_FILE = "daemon.log";

/** The daemon as it ships, but for its boundaries. */
export function buildMortalDaemon(): void {
  const tsx = join(root, "node_modules/tsx/dist/cli.mjs");
  execFileSync(process.execPath, [tsx, "scripts/build.ts", "--chaos"], { cwd: root, stdio: "inherit" });
}

export interface Ending {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

export interface Life {
  /** Resolves when the daemon serves buyers, or has ended. */
  listening: Promise<void>;
  ended: Promise<Ending>;
  isOver(): boolean;
  hasListened(): boolean;
  /** The boundary at which it ended, if at one. */
  killedAt(): string | undefined;
  /** It ended by `kill()`, and not before by itself. */
  wasKilled(): boolean;
  /** kill -9; does nothing to one that has ended. */
  kill(): void;
  terminate(): void;
  /** Log records by event. */
  events(name: string): Record<string, unknown>[];
  output(): string;
}

/** One run of the daemon. `killAt` as in src/testing/boundary.ts. */
export function startLife(configPath: string, killAt: string | undefined): Life {
  const child: ChildProcess = spawn(process.execPath, [bundle], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      EUROPA_NODE_CONFIG: configPath,
      LOG_LEVEL: "info",
      EUROPA_OPERATOR_WIREGUARD_MODE: "in-memory",
      ...(killAt === undefined ? {} : { [KILL_AT]: killAt }),
    },
  });
  let output = "";
  let over = false;
  let asked = false;
  let killed = false;
  let heard = () => {};
  const listening = new Promise<void>((resolve) => {
    heard = resolve;
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (hasListened()) heard();
    });
  }
  const kill = () => {
    asked = child.kill("SIGKILL") || asked;
  };
  // No daemon outlives the run that started it.
  process.once("exit", kill);
  const ended = new Promise<Ending>((resolve) => {
    // `close` comes after the last byte of output.
    child.once("close", (exitCode, signal) => {
      process.removeListener("exit", kill);
      over = true;
      killed = asked && signal === "SIGKILL";
      appendFileSync(join(dirname(configPath), LOG_FILE), output);
      heard();
      resolve({ exitCode, signal });
    });
  });

  function hasListened(): boolean {
    return output.includes('"event":"listening"');
  }

  return {
    listening,
    ended,
    isOver: () => over,
    hasListened,
    killedAt: () => /^killed at (.+)$/m.exec(output)?.[1],
    wasKilled: () => killed,
    kill,
    terminate: () => void child.kill("SIGTERM"),
    events: (name) =>
      output
        .split("\n")
        .filter((line) => line.includes(`"event":"${name}"`) && line.endsWith("}"))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    output: () => output,
  };
}
