import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { expect, it } from "vitest";
import { describe as nameOf, runJob } from "./jobs.ts";

function recordingLogger() {
  const lines: string[] = [];
  return { lines, logger: pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }) };
}

it("never runs two steps at once, and goes on after an error without telling its message", async () => {
  const { lines, logger } = recordingLogger();
  let running = 0;
  let most = 0;
  let steps = 0;
  const job = runJob("test", 1, logger, async () => {
    most = Math.max(most, ++running);
    await sleep(5);
    running--;
    steps++;
    if (steps === 1) throw new Error("holds a secret");
  });
  while (steps < 3) await sleep(1);
  await job.stop();
  expect(most).toBe(1);
  expect(lines.join("")).toContain('"event":"job-failed"');
  expect(lines.join("")).not.toContain("secret");
});

it("says once that a step keeps failing, and again after it went well", async () => {
  const { lines, logger } = recordingLogger();
  const outcomes = [false, false, false, true, false];
  let steps = 0;
  const job = runJob("test", 1, logger, () => {
    if (outcomes[steps++] === false) throw new RangeError("anything");
  });
  while (steps <= outcomes.length) await sleep(1);
  await job.stop();
  expect(lines.filter((line) => line.includes("job-failed"))).toHaveLength(2);
});

it("lets the step under way end, and starts none after it", async () => {
  const { logger } = recordingLogger();
  const done: string[] = [];
  const job = runJob("test", 1, logger, async () => {
    done.push("begun");
    await sleep(30);
    done.push("ended");
  });
  while (done.length === 0) await sleep(1);
  await job.stop();
  expect(done).toEqual(["begun", "ended"]);
  await sleep(20);
  expect(done).toHaveLength(2);
});

it("stops at once while it pauses", async () => {
  const { logger } = recordingLogger();
  const job = runJob("test", 60_000, logger, () => undefined);
  const before = performance.now();
  await job.stop();
  expect(performance.now() - before).toBeLessThan(1000);
});

it("names an error by class and code alone", () => {
  expect(nameOf(Object.assign(new TypeError("with 10.66.42.2 in it"), { code: "ENOENT" }))).toBe(
    "TypeError ENOENT",
  );
  expect(nameOf("text")).toBe("string");
});
