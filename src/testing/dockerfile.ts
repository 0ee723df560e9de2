import { spawn } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

interface Instruction {
  name: string;
  /** Continued lines joined. */
  rest: string;
}

/** What the Dockerfile's last stage says of the daemon, and where it has it from. */
export interface ImagePlan {
  /** `COPY` and `RUN` of the stage `build`, in order. */
  build: Instruction[];
  /** The folder of the stage `build` that the last stage gets. */
  packed: string;
  entrypoint: string[];
  healthcheck: string[];
  /** All of the last stage. */
  last: Instruction[];
}

/** Throws when the Dockerfile is not of the form that `replayBuild` can follow. */
export function readDockerfile(): ImagePlan {
  const instructions = readFileSync(join(ROOT, "Dockerfile"), "utf8")
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n\s*/g, " ")
    .split("\n")
    .flatMap((line) => {
      const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return name === undefined || rest === undefined ? [] : [{ name, rest }];
    });
  const starts = instructions.flatMap(({ name }, index) => (name === "FROM" ? [index] : []));
  const [first = 0, second = 0] = starts;
  if (starts.length !== 2) throw new Error("the Dockerfile has other than two stages");
  const last = instructions.slice(second);
  return {
    build: instructions.slice(first + 1, second).filter(({ name }) => name === "COPY" || name === "RUN"),
    packed: found(/^--from=build (\S+) \S+$/, textOf(last, "COPY")),
    entrypoint: JSON.parse(textOf(last, "ENTRYPOINT")) as string[],
    healthcheck: JSON.parse(found(/CMD (\[.*\])$/, textOf(last, "HEALTHCHECK"))) as string[],
    last,
  };
}

function textOf(instructions: readonly Instruction[], name: string): string {
  return instructions.find((instruction) => instruction.name === name)?.rest ?? "";
}

function found(pattern: RegExp, text: string): string {
  const [, piece] = pattern.exec(text) ?? [];
  if (piece === undefined) throw new Error(`the Dockerfile has no ${pattern}`);
  return piece;
}

/** Does in `source` what the stage `build` does, with `target` in the place of the folder that it packs. */
export async function replayBuild(plan: ImagePlan, source: string, target: string): Promise<void> {
  for (const { name, rest } of plan.build) {
    if (name === "COPY") copy(rest.split(/\s+/).slice(0, -1), source);
    else await runIn(source, rest.replace(plan.packed, target));
  }
}

function copy(paths: readonly string[], target: string): void {
  const isLeftOut = readDockerignore();
  for (const path of paths) {
    cpSync(join(ROOT, path), join(target, path), {
      recursive: true,
      filter: (from) => !isLeftOut(relative(ROOT, from)),
    });
  }
}

/** Whether a path of the repository stays out of the build: of the lines that match, the last counts. */
export function readDockerignore(): (path: string) => boolean {
  const rules = readFileSync(join(ROOT, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ leavesOut: !line.startsWith("!"), pattern: patternOf(line.replace(/^!/, "")) }));
  return (path) => path !== "" && (rules.findLast(({ pattern }) => pattern.test(path))?.leavesOut ?? false);
}

function patternOf(line: string): RegExp {
  const parts = line
    .split("**/")
    .map((part) => part.replace(/[.+^$()|[\]{}]/g, "\\$&").replaceAll("*", "[^/]*"));
  return new RegExp(`^${parts.join("(?:.*/)?")}(?:/.*)?$`);
}

function runIn(cwd: string, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        // What this machine has already is not fetched again.
        npm_config_prefer_offline: "true",
        ...(process.env.npm_config_nodedir ? { npm_config_nodedir: process.env.npm_config_nodedir } : {}),
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${code}:\n${output.slice(-4000)}`));
    });
  });
}
