import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createMutex } from "./mutex.ts";

it("runs sections one after the other, in order, also past one that fails", async () => {
  const exclusively = createMutex();
  const log: string[] = [];
  const section = (name: string, pauseMs: number, fails = false) =>
    exclusively(async () => {
      log.push(`${name} in`);
      await sleep(pauseMs);
      log.push(`${name} out`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([section("a", 10), section("b", 5, true), section("c", 0)]);
  expect(log).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});
