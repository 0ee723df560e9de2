import { expect, it } from "vitest";
import { factsInMemory } from "../testing/facts-in-memory.ts";
import { createHeartbeat } from "./heartbeat.ts";

const HOUR = 3_600;
const START = 1_800_000_000;

function world(everyHours: number) {
  const facts = factsInMemory();
  const time = { seconds: START };
  const start = () => createHeartbeat({ facts, everyHours, now: () => time.seconds });
  return { facts, time, start };
}

it("is due at the first start, then every so many hours, whatever restarts", () => {
  const { time, start } = world(6);
  expect(start().take()).toBe(START - 6 * HOUR);
  for (let n = 0; n < 6 * 60 - 1; n++) {
    time.seconds += 60;
    expect(start().take()).toBeUndefined();
  }
  time.seconds += 60;
  const heartbeat = start();
  expect(heartbeat.take()).toBe(START);
  expect(heartbeat.take()).toBeUndefined();
  time.seconds += 100 * HOUR;
  expect(start().take()).toBe(START + 6 * HOUR);
  expect(start().take()).toBeUndefined();
});

it("never comes with 0 hours", () => {
  const { time, start } = world(0);
  expect(start().take()).toBeUndefined();
  time.seconds += 1_000 * HOUR;
  expect(start().take()).toBeUndefined();
});

it("does not wait for a year that a wrong clock wrote", () => {
  const { time, start } = world(6);
  start().take();
  time.seconds -= 365 * 24 * HOUR;
  expect(start().take()).toBe(time.seconds - 6 * HOUR);
});

it("is not given while the book cannot be written", () => {
  const { facts, time, start } = world(6);
  start().take();
  time.seconds += 6 * HOUR;
  const heartbeat = start();
  facts.set = () => {
    throw new Error("full");
  };
  expect(() => heartbeat.take()).toThrow("full");
});
