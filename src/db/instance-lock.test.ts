import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { AlreadyRunningError, isLocked, lockInstance } from "./instance-lock.ts";

let folder: TempDir;
let path: string;
let holder: ChildProcess | undefined;

beforeEach(async () => {
  folder = await makeTempDir();
  path = join(folder.path, "data", "sessions.db");
});
afterEach(async () => {
  if (holder?.exitCode === null && holder.signalCode === null) await kill(holder);
  holder = undefined;
  await folder.remove();
});

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Another process that takes the lock and keeps it. */
async function holdElsewhere(): Promise<ChildProcess> {
  const lockModule = fileURLToPath(new URL("./instance-lock.ts", import.meta.url));
  const script = `import { lockInstance } from ${JSON.stringify(lockModule)};
    globalThis.held = lockInstance(${JSON.stringify(path)});
    console.log("locked");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  holder = child;
  const exited = once(child, "exit").then(() =>
    Promise.reject(new Error("the holder ended before it had the lock")),
  );
  await Promise.race([once(child.stdout, "data"), exited]);
  exited.catch(() => undefined);
  return child;
}

it("refuses a second process, and is free once the first was killed", async () => {
  const child = await holdElsewhere();
  expect(() => lockInstance(path)).toThrow(AlreadyRunningError);
  expect(() => lockInstance(path)).toThrow(/stop it first/);
  await kill(child);
  lockInstance(path).release();
});

it("refuses a second holder in the same process until it is released", () => {
  const first = lockInstance(path);
  expect(() => lockInstance(path)).toThrow(AlreadyRunningError);
  first.release();
  lockInstance(path).release();
});

it("is private, in a private folder", () => {
  const lock = lockInstance(path);
  expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder.path, "data")).mode & 0o777).toBe(0o700);
  lock.release();
});

it("can be asked for without being taken, and nothing is made", async () => {
  expect(isLocked(path)).toBe(false);
  expect(existsSync(`${path}.lock`)).toBe(false);
  const child = await holdElsewhere();
  expect(isLocked(path)).toBe(true);
  await kill(child);
  expect(isLocked(path)).toBe(false);
  lockInstance(path).release();
});
