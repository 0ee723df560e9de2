import fc from "fast-check";
import { expect, it } from "vitest";
import { createRateLimiter } from "./rate-limit.ts";

it("gives the whole minute at once, then evenly", () => {
  let nowMs = 0;
  const limiter = createRateLimiter(30, 10, () => nowMs);
  for (let count = 0; count < 30; count++) expect(limiter.take("a")).toBe(0);
  expect(limiter.take("a")).toBe(2);
  nowMs = 1500;
  expect(limiter.take("a")).toBe(1);
  nowMs = 2000;
  expect(limiter.take("a")).toBe(0);
  expect(limiter.take("a")).toBe(2);
  expect(limiter.take("b")).toBe(0);
});

it("forgets those that asked least recently, and keeps those that ask", () => {
  const limiter = createRateLimiter(1, 2, () => 0);
  limiter.take("a");
  limiter.take("b");
  expect(limiter.take("a")).toBeGreaterThan(0);
  limiter.take("c");
  expect(limiter.take("a")).toBeGreaterThan(0);
  expect(limiter.take("b")).toBe(0);
});

it("never lets more through than the limit allows, and lets one through when it said so", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.nat(20_000), { maxLength: 200 }),
      (perMinute, pauses) => {
        let nowMs = 0;
        let passed = 0;
        const limiter = createRateLimiter(perMinute, 10, () => nowMs);
        for (const pause of pauses) {
          nowMs += pause;
          const wait = limiter.take("a");
          if (wait === 0) passed += 1;
          else {
            nowMs += wait * 1000;
            expect(limiter.take("a")).toBe(0);
            passed += 1;
          }
        }
        expect(passed).toBeLessThanOrEqual(perMinute + (nowMs * perMinute) / 60_000 + 1e-6);
      },
    ),
  );
});
