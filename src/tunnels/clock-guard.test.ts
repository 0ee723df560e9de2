import { describe, expect, it } from "vitest";
import type { Facts } from "../db/facts.ts";
import { createClockGuard } from "./clock-guard.ts";

const DAY = 86_400;
const NOW = 1_800_000_000;

/** A machine whose clocks a test moves. */
function machine(lastSeen?: number) {
  const book = new Map(lastSeen === undefined ? [] : [["clock-last-seen", String(lastSeen)]]);
  const facts = {
    get: (name: string) => book.get(name),
    set: (name: string, value: string) => void book.set(name, value),
  } as Facts;
  const clocks = { wall: NOW, monotonicMs: 5_000 };
  const start = (acceptClock = false) =>
    createClockGuard(facts, { now: () => clocks.wall }, () => clocks.monotonicMs, acceptClock);
  const pass = (seconds: number, wallSeconds = seconds) => {
    clocks.monotonicMs += seconds * 1000;
    clocks.wall += wallSeconds;
  };
  return { book, clocks, start, pass };
}

describe("at a start", () => {
  it("trusts the clock of a fresh book", () => {
    const guard = machine().start();
    expect([guard.check(), guard.doubt()]).toEqual([NOW, undefined]);
  });
  it("trusts a machine that was off for up to seven days, and no longer", () => {
    expect(
      machine(NOW - 7 * DAY)
        .start()
        .check(),
    ).toBe(NOW);
    const guard = machine(NOW - 7 * DAY - 1).start();
    expect(guard.check()).toBeUndefined();
    expect(guard.doubt()).toMatch(/--accept-clock/);
  });
  it("doubts a clock behind the book, until the time is synchronised", () => {
    const { start, pass } = machine(NOW + 60);
    const guard = start();
    expect(guard.check()).toBeUndefined();
    pass(5, 100);
    expect([guard.check(), guard.doubt()]).toEqual([NOW + 100, undefined]);
  });
  it.each([NOW - 100 * DAY, NOW + 100 * DAY])(
    "takes the clock at its word with --accept-clock (book: %d)",
    (lastSeen) => {
      const { start, book } = machine(lastSeen);
      const guard = start(true);
      expect(guard.check()).toBe(NOW);
      guard.remember();
      expect(book.get("clock-last-seen")).toBe(String(NOW));
      expect(start().check()).toBe(NOW);
    },
  );
});

describe("while running", () => {
  it("doubts a jump ahead that the monotonic clock cannot explain, and recovers when it is undone", () => {
    const { start, pass } = machine(NOW);
    const guard = start();
    guard.check();
    pass(10, 10 + 301);
    expect(guard.check()).toBeUndefined();
    pass(10, 10 - 301);
    expect(guard.check()).toBe(NOW + 20);
  });
  it("goes along with long runs and small steps", () => {
    const { start, pass } = machine();
    const guard = start();
    guard.check();
    pass(30 * DAY);
    expect(guard.check()).toBe(NOW + 30 * DAY);
    pass(10, 250);
    expect(guard.check()).toBe(NOW + 30 * DAY + 250);
  });
  it("never goes back, and does not write down a time it doubts", () => {
    const { start, pass, book } = machine();
    const guard = start();
    guard.check();
    pass(1, -1);
    expect(guard.check()).toBe(NOW);
    pass(1, 5 * DAY);
    expect(guard.check()).toBeUndefined();
    guard.remember();
    expect(book.get("clock-last-seen")).toBe(String(NOW));
    expect(guard.lastSeen()).toBe(NOW);
  });
});
