import { expect, it } from "vitest";
import { createSlowClock } from "./slow-clock.ts";

it("goes so many times slower than the machine, as much as that may change, and never back", () => {
  let machineMs = 1_000;
  let slowness = 2;
  const nowMs = createSlowClock(
    () => slowness,
    () => machineMs,
  );
  expect(nowMs()).toBe(1_000);
  machineMs += 500;
  expect(nowMs()).toBe(1_250);
  slowness = 10;
  expect(nowMs()).toBe(1_250);
  machineMs += 500;
  expect(nowMs()).toBe(1_300);
  machineMs -= 10_000;
  expect(nowMs()).toBe(1_300);
});
