import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readDockerfile, readDockerignore, replayBuild } from "../testing/dockerfile.ts";
import { eventually } from "../testing/eventually.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";

const run = promisify(execFile);
const plan = readDockerfile();

let relay: TestRelay;
let operator: Operator;
let folder: TempDir;
let app: string;
let daemon: ChildProcess | undefined;

beforeAll(async () => {
  relay = await startRelay();
  operator = await createOperator({ relays: [relay.url], mints: ["https://mint.example"] });
  folder = await makeTempDir();
  app = join(folder.path, "app");
  const source = join(folder.path, "src");
  mkdirSync(source);
  await replayBuild(plan, source, app);
  // In the image there is nothing of the build beside it.
  await run("rm", ["-rf", source]);
}, 400_000);

afterAll(async () => {
  if (daemon?.exitCode === null && daemon.kill("SIGKILL")) await once(daemon, "exit");
  await operator.destroy();
  await relay.stop();
  await folder.remove();
});

it("the image gets the bundle and what is compiled, nothing else", () => {
  expect(readdirSync(app).sort()).toEqual(["LICENSE", "dist", "node_modules"]);
  expect(readdirSync(join(app, "dist"))).toEqual(["index.cjs"]);
  expect(readdirSync(join(app, "node_modules")).sort()).toEqual([
    "better-sqlite3",
    "bindings",
    "file-uri-to-path",
  ]);
  expect(existsSync(join(app, "node_modules/better-sqlite3/src"))).toBe(false);
});

it("keys, data and tests stay out of the build", () => {
  const isLeftOut = readDockerignore();
  const own = [
    "config/config.toml",
    "secrets/nsec",
    "data/sessions.db",
    ".env",
    ".git/config",
    "src/testing/mint.ts",
  ];
  expect(own.filter((path) => !isLeftOut(path))).toEqual([]);
  expect(["src/index.ts", "scripts/pack.sh", "package.json"].filter(isLeftOut)).toEqual([]);
});

it("the last stage has what the daemon runs, and no compiler", () => {
  const text = plan.last.map(({ name, rest }) => `${name} ${rest}`).join("\n");
  expect(text).toMatch(/^FROM node:\$\{NODE_VERSION\}-bookworm-slim$/m);
  for (const wanted of ["iproute2", "nftables", "wireguard-tools"]) expect(text).toContain(wanted);
  expect(text).not.toMatch(/g\+\+|gcc|build-essential|make|python/);
});

it("its daemon serves from there, and its health check tells so", async () => {
  const env = {
    PATH: process.env.PATH,
    EUROPA_NODE_CONFIG: operator.configPath,
    EUROPA_OPERATOR_WIREGUARD_MODE: "in-memory",
  };
  const [program = "", ...args] = plan.entrypoint;
  await run(program, [...args, "check-config"], { cwd: app, env });

  daemon = spawn(program, args, { cwd: app, env, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  daemon.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  await eventually(() => printed.includes('"event":"listening"'), 30_000);

  const [checker = "", ...check] = plan.healthcheck.map((word) =>
    word.replace("127.0.0.1:8080", new URL(operator.url).host),
  );
  await run(checker, check);
  daemon.kill("SIGTERM");
  await once(daemon, "exit");
  await expect(run(checker, check)).rejects.toMatchObject({ code: 1 });
}, 90_000);
