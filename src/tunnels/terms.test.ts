import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DATA_TIER_SECONDS } from "../protocol/price.ts";
import {
  bytesLeft,
  charge,
  effectiveEnd,
  endCause,
  extend,
  isOver,
  noTerms,
  rateOf,
  type Terms,
  timeRuns,
  withEndOf,
} from "./terms.ts";

const NOW = 1_800_000_000;
const HOUR = 3600;
const time = (seconds: number) => ({ seconds, bytes: 0 });
const data = (bytes: number) => ({ seconds: 0, bytes });
/** A session may use data now: not lapsed, not used up. */
const usable = (terms: Terms, now: number) =>
  terms.dataUntil !== null && terms.dataUntil <= now ? 0 : bytesLeft(terms);

describe("exact ends", () => {
  it("of time: what is bought is added to the end, or to now", () => {
    const first = extend(noTerms, time(HOUR), NOW);
    expect(effectiveEnd(first)).toBe(NOW + HOUR);
    expect(effectiveEnd(extend(first, time(HOUR), NOW + 10))).toBe(NOW + 2 * HOUR);
    expect(effectiveEnd(extend(first, time(HOUR), NOW + 2 * HOUR))).toBe(NOW + 3 * HOUR);
    expect([isOver(first, NOW + HOUR - 1), isOver(first, NOW + HOUR)]).toEqual([false, true]);
  });

  it("of data: when it is used up, or 30 days after it was bought last", () => {
    const first = extend(noTerms, data(1000), NOW);
    expect(effectiveEnd(first)).toBe(NOW + DATA_TIER_SECONDS);
    expect(isOver(charge(first, 999, NOW), NOW)).toBe(false);
    const usedUp = charge(first, 1000, NOW);
    expect(isOver(usedUp, NOW)).toBe(true);
    const again = extend(usedUp, data(500), NOW + 5);
    expect([bytesLeft(again), effectiveEnd(again)]).toEqual([500, NOW + 5 + DATA_TIER_SECONDS]);
  });

  it("of both: the later one", () => {
    const both = extend(extend(noTerms, data(1000), NOW), time(HOUR), NOW);
    expect(effectiveEnd(both)).toBe(NOW + DATA_TIER_SECONDS);
    expect(effectiveEnd(charge(both, 1000, NOW + HOUR))).toBe(NOW + HOUR);
  });

  it("of old rows: data without an end keeps none, and neither end nor quota never ends", () => {
    const endless = { ...noTerms, quotaBytes: 1000 };
    expect(effectiveEnd(endless)).toBeNull();
    expect(effectiveEnd(extend(endless, data(1), NOW))).toBeNull();
    expect(effectiveEnd(extend(charge(endless, 1000, NOW), data(1), NOW))).toBe(NOW + DATA_TIER_SECONDS);
    expect(isOver(noTerms, NOW)).toBe(false);
  });

  it("of an overdrawn quota: the excess is not taken from the next purchase", () => {
    const overdrawn = charge(extend(noTerms, data(1000), NOW), 5000, NOW);
    expect(bytesLeft(extend(overdrawn, data(700), NOW))).toBe(700);
  });

  it("stay exact numbers, however much is bought", () => {
    const most = extend(extend(noTerms, time(Number.MAX_SAFE_INTEGER), NOW), time(HOUR), NOW);
    expect(effectiveEnd(most)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe("charging", () => {
  it("takes nothing while time ran as the traffic began to be counted", () => {
    const both = extend(extend(noTerms, data(1000), NOW), time(HOUR), NOW);
    expect(charge(both, 10, NOW + HOUR - 1)).toBe(both);
    expect(bytesLeft(charge(both, 10, NOW + HOUR))).toBe(990);
  });
  it("takes nothing from who has none", () => {
    const timed = extend(noTerms, time(HOUR), NOW);
    expect(charge(timed, 10, NOW + 2 * HOUR)).toBe(timed);
  });
});

describe("what ended a session", () => {
  const both = extend(extend(noTerms, data(1000), NOW), time(HOUR), NOW);
  it.each<[string, Terms, number, "time" | "data"]>([
    ["time alone", extend(noTerms, time(HOUR), NOW), NOW + HOUR, "time"],
    ["data used up", charge(extend(noTerms, data(1), NOW), 1, NOW), NOW + 5, "data"],
    ["data that lapsed with some left", both, NOW + DATA_TIER_SECONDS, "time"],
    ["data used up after the time was over", charge(both, 1000, NOW + HOUR), NOW + 2 * HOUR, "data"],
    [
      "time, the data used up before it was bought",
      extend(charge(both, 1000, NOW + HOUR), time(60), NOW),
      NOW + HOUR + 60,
      "time",
    ],
  ])("%s", (_, terms, endedAt, cause) => expect(endCause(terms, endedAt)).toBe(cause));
});

describe("rates", () => {
  const at = (rateMbit: number, bought: { seconds: number; bytes: number }) => ({ ...bought, rateMbit });

  it("of a fast hour in a slow month: fast first, and the whole no shorter", () => {
    const month = extend(noTerms, at(10, time(30 * 24 * HOUR)), NOW);
    const both = extend(month, at(50, time(HOUR)), NOW + HOUR);
    expect(effectiveEnd(both)).toBe(NOW + 30 * 24 * HOUR + HOUR);
    const rates = [HOUR, 2 * HOUR - 1, 2 * HOUR, 30 * 24 * HOUR].map((later) => rateOf(both, NOW + later));
    expect(rates).toEqual([50, 50, 10, 10]);
  });

  it("of data go by what is used, and hold once no time runs", () => {
    const bought = extend(extend(noTerms, at(10, data(1000)), NOW), at(50, data(500)), NOW);
    const both = extend(bought, at(20, time(HOUR)), NOW);
    expect(rateOf(both, NOW)).toBe(20);
    expect(rateOf(both, NOW + HOUR)).toBe(50);
    expect(rateOf(charge(both, 499, NOW + HOUR), NOW + HOUR)).toBe(50);
    expect(rateOf(charge(both, 500, NOW + HOUR), NOW + HOUR)).toBe(10);
  });

  it("of data bought in between count from what is used", () => {
    const begun = charge(extend(noTerms, at(10, data(1000)), NOW), 400, NOW);
    const both = extend(begun, at(50, data(500)), NOW);
    expect([0, 499, 500].map((bytes) => rateOf(charge(both, bytes, NOW), NOW))).toEqual([50, 50, 10]);
    expect(bytesLeft(both)).toBe(1100);
  });

  it("of data that lapsed are not those of what is bought anew", () => {
    const first = extend(noTerms, at(50, data(1000)), NOW);
    const again = extend(charge(first, 400, NOW), at(10, data(500)), NOW + DATA_TIER_SECONDS);
    expect([rateOf(again, NOW + DATA_TIER_SECONDS), bytesLeft(again)]).toEqual([10, 500]);
  });

  it("of an overdrawn quota begin where the excess is forgiven", () => {
    const overdrawn = charge(extend(noTerms, at(50, data(1000)), NOW), 5000, NOW);
    expect(rateOf(extend(overdrawn, at(10, data(700)), NOW), NOW)).toBe(10);
  });

  it("of an end that an older daemon moved: as bought up to there, and none beyond", () => {
    const sold = extend(noTerms, at(50, time(HOUR)), NOW);
    const moved = withEndOf(NOW + 2 * HOUR, sold);
    expect([rateOf(moved, NOW), rateOf(moved, NOW + HOUR)]).toEqual([50, null]);
    const renewed = extend(moved, at(10, time(HOUR)), NOW, 5);
    expect([0, 1, 2].map((hours) => rateOf(renewed, NOW + hours * HOUR))).toEqual([50, 10, null]);
  });
});

describe("a purchase never shortens and never narrows", () => {
  const purchase = fc.record({
    kind: fc.constantFrom("time", "data", "traffic"),
    size: fc.integer({ min: 1, max: 40 * 86_400 }),
    later: fc.integer({ min: 0, max: 20 * 86_400 }),
  });
  const start = fc.constantFrom<Terms>(
    noTerms,
    { ...noTerms, quotaBytes: 5_000_000, usedBytes: 4_000_000 },
    { ...noTerms, dataUntil: NOW + 100, quotaBytes: 1000, usedBytes: 5000 },
    { ...noTerms, timeUntil: NOW + 86_400 },
  );

  it("in any order of time, data and traffic", () => {
    fc.assert(
      fc.property(start, fc.array(purchase, { maxLength: 30 }), (first, steps) => {
        let terms = first;
        let now = NOW;
        for (const { kind, size, later } of steps) {
          now += later;
          if (kind === "traffic") {
            terms = charge(terms, size, now);
            continue;
          }
          const after = extend(terms, kind === "time" ? time(size) : data(size), now);
          expect(usable(after, now)).toBe(usable(terms, now) + (kind === "data" ? size : 0));
          expect(after.timeUntil ?? 0).toBe(
            kind === "time" ? Math.max(terms.timeUntil ?? 0, now) + size : (terms.timeUntil ?? 0),
          );
          expect(timeRuns(after, now)).toBe(kind === "time" || timeRuns(terms, now));
          expect(isOver(after, now)).toBe(false);
          // An end that was there never comes nearer, and none never becomes one while its data lasts.
          const before = first === noTerms && terms === first ? 0 : effectiveEnd(terms);
          expect(effectiveEnd(after) ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(
            before ?? Number.POSITIVE_INFINITY,
          );
          if (usable(terms, now) > 0) {
            expect(after.dataUntil ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(
              terms.dataUntil ?? Number.POSITIVE_INFINITY,
            );
          }
          terms = after;
        }
      }),
    );
  });
});
