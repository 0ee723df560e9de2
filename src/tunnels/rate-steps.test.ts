import { expect, it } from "vitest";
import { rateSteps, ratesInWords } from "./rate-steps.ts";
import { extend, noTerms, type Terms } from "./terms.ts";

const NOW = 1_800_000_000;
const HOUR = 3600;
const hours = (count: number, rateMbit?: number) => ({ seconds: count * HOUR, bytes: 0, rateMbit });
const bytes = (count: number, rateMbit?: number) => ({ seconds: 0, bytes: count, rateMbit });
const bought = (...all: { seconds: number; bytes: number }[]) =>
  all.reduce<Terms>((terms, each) => extend(terms, each, NOW), noTerms);
const words = (terms: Terms, defaultRate: number | null = null, now = NOW) =>
  ratesInWords(
    rateSteps(terms, now, defaultRate),
    (at) => `${(at - NOW) / HOUR} h`,
    (count) => `${count} bytes`,
  );

it("tells of time, then of data, what comes and until when", () => {
  const all = bought(hours(2, 50), hours(1, 10), bytes(500, 20), bytes(300, 5));
  expect(words(all)).toBe(
    "50 Mbit/s each way until 2 h, then 10 Mbit/s each way until 3 h, then 20 Mbit/s each way until 300 bytes are left, then 5 Mbit/s each way",
  );
  expect(words(all, null, NOW + 3 * HOUR)).toBe(
    "20 Mbit/s each way until 300 bytes are left, then 5 Mbit/s each way",
  );
  expect(words({ ...all, usedBytes: 800 }, null, NOW + 2 * HOUR)).toBe("10 Mbit/s each way");
});

it("takes the default for what names no rate, and one step for neighbours that are alike by it", () => {
  const both = bought(hours(1), hours(1, 10), bytes(500));
  expect(rateSteps(both, NOW, 10)).toEqual([{ rateMbit: 10, until: null, untilBytesLeft: 0 }]);
  expect(words(both, 20)).toBe(
    "20 Mbit/s each way until 1 h, then 10 Mbit/s each way until 2 h, then 20 Mbit/s each way",
  );
  expect(words(both)).toBe("no limit until 1 h, then 10 Mbit/s each way until 2 h, then no limit");
});

it("says nothing where nothing is held back, and the default of a session without limits", () => {
  expect(words(bought(hours(1), bytes(5)))).toBeUndefined();
  expect([words(noTerms), words(noTerms, 0.5)]).toEqual([undefined, "0.5 Mbit/s each way"]);
});
