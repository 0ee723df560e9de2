import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Line, type Rate, type RateSpan, rateAt, spansLeft, speedOf, withAdded } from "./rate-spans.ts";

const rate = fc.constantFrom<Rate>(null, 5, 10, 50, 100);
const defaultRate = fc.constantFrom<Rate>(null, 10, 20);
const purchases = fc.array(
  fc.record({ length: fc.integer({ min: 1, max: 1000 }), rateMbit: rate, usedBefore: fc.nat(500) }),
  { minLength: 1, maxLength: 12 },
);

/** How much is left at each rate. */
function amounts(spans: readonly RateSpan[], line: Line): Map<Rate, number> {
  const found = new Map<Rate, number>();
  let start = line.from;
  for (const { until, rateMbit } of spansLeft(spans, line)) {
    found.set(rateMbit, (found.get(rateMbit) ?? 0) + until - start);
    start = until;
  }
  return found;
}

describe("any purchases, with use between them", () => {
  it("leave as much of every rate as there was, and add just what is bought", () => {
    fc.assert(
      fc.property(purchases, defaultRate, (all, fallback) => {
        let [spans, line]: [RateSpan[], Line] = [[], { from: 0, until: 0 }];
        for (const { length, rateMbit, usedBefore } of all) {
          const from = Math.min(line.from + usedBefore, line.until);
          const before = amounts(spans, { ...line, from });
          spans = withAdded(spans, { ...line, from }, { length, rateMbit }, fallback);
          line = { from, until: line.until + length };
          expect(amounts(spans, line)).toEqual(before.set(rateMbit, (before.get(rateMbit) ?? 0) + length));
          expect(spansLeft(spans, line).at(-1)?.until).toBe(line.until);
        }
      }),
    );
  });

  it("leave the fastest first, one span of each rate", () => {
    fc.assert(
      fc.property(purchases, defaultRate, (all, fallback) => {
        let [spans, until]: [RateSpan[], number] = [[], 0];
        for (const { length, rateMbit } of all) {
          spans = withAdded(spans, { from: 0, until }, { length, rateMbit }, fallback);
          until += length;
        }
        const rates = spansLeft(spans, { from: 0, until }).map((span) => span.rateMbit);
        const speeds = rates.map((each) => speedOf(each, fallback));
        expect(speeds).toEqual([...speeds].sort((a, b) => (a === b ? 0 : b - a)));
        expect(new Set(rates)).toEqual(new Set(all.map((each) => each.rateMbit)));
        expect(rates).toHaveLength(new Set(rates).size);
      }),
    );
  });

  it("never make the tunnel slower than it would have been", () => {
    fc.assert(
      fc.property(
        purchases,
        rate,
        fc.integer({ min: 1, max: 1000 }),
        defaultRate,
        (all, bought, length, fallback) => {
          let [spans, until]: [RateSpan[], number] = [[], 0];
          for (const each of all) {
            spans = withAdded(spans, { from: 0, until }, each, fallback);
            until += each.length;
          }
          const after = withAdded(spans, { from: 0, until }, { length, rateMbit: bought }, fallback);
          const steps = [0, ...spans.map((span) => span.until), ...after.map((span) => span.until)];
          for (const position of steps.filter((step) => step < until)) {
            const [then, now] = [rateAt(spans, position), rateAt(after, position)];
            expect(speedOf(now, fallback)).toBeGreaterThanOrEqual(speedOf(then, fallback));
          }
        },
      ),
    );
  });
});

describe("rates of a line", () => {
  const fastHour = [
    { until: 100, rateMbit: 50 },
    { until: 300, rateMbit: 10 },
  ];

  it("end where their span ends, and beyond the last there is none", () => {
    const at = [0, 99, 100, 299, 300].map((position) => rateAt(fastHour, position));
    expect(at).toEqual([50, 50, 10, 10, null]);
  });

  it("go as far as the line does, and it farther than they", () => {
    expect(spansLeft(fastHour, { from: 40, until: 200 })).toEqual([
      { until: 100, rateMbit: 50 },
      { until: 200, rateMbit: 10 },
    ]);
    expect(spansLeft(fastHour, { from: 150, until: 500 })).toEqual([
      { until: 300, rateMbit: 10 },
      { until: 500, rateMbit: null },
    ]);
    expect(spansLeft(fastHour, { from: 300, until: 300 })).toEqual([]);
  });

  it("are not named where all of it is as the default has it", () => {
    expect(withAdded([], { from: 0, until: 100 }, { length: 50, rateMbit: null }, 10)).toEqual([]);
  });

  it("sort by the default of the day: a faster one comes before, a slower one behind", () => {
    const line = { from: 0, until: 100 };
    const added = { length: 50, rateMbit: 20 };
    expect(withAdded([], line, added, 10)).toEqual([{ until: 50, rateMbit: 20 }]);
    expect(withAdded([], line, added, null)).toEqual([
      { until: 100, rateMbit: null },
      { until: 150, rateMbit: 20 },
    ]);
  });
});
