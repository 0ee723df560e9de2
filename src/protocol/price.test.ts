import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatPlainNumber, parsePlainNumber, toFraction } from "./plain-number.ts";
import {
  bought,
  checkBounds,
  isUnit,
  type Price,
  payableRange,
  priceTag,
  type Quantity,
  quantitySize,
  readPriceTag,
  samePrice,
  type Unit,
} from "./price.ts";

const units: Unit[] = ["hour", "day", "week", "month", "GiB", "TiB"];
const anyUnit = fc.constantFrom(...units);
const anyPaid = fc.integer({ min: 0, max: 2_100_000_000 });
const anyPrice = fc.record({
  amount: fc.integer({ min: 1, max: 1_000_000 }),
  currency: fc.constant("sat"),
  unit: anyUnit,
});
const decimal = fc
  .tuple(fc.integer({ min: 0, max: 10 ** 9 }), fc.integer({ min: 0, max: 9 }))
  .map(([digits, places]) => Number(`${digits}e-${places}`));
const sat = (amount: number, unit: Unit): Price => ({ amount, currency: "sat", unit });
const size = (quantity: Quantity) => {
  const { seconds, bytes } = quantitySize(quantity);
  return seconds + bytes;
};

describe("units", () => {
  it("have the sizes of the wire: a month is 30 days, GiB and TiB are binary", () => {
    expect(units.map((unit) => quantitySize({ amount: 1, unit }))).toEqual([
      { seconds: 3600, bytes: 0 },
      { seconds: 86_400, bytes: 0 },
      { seconds: 604_800, bytes: 0 },
      { seconds: 2_592_000, bytes: 0 },
      { seconds: 0, bytes: 1_073_741_824 },
      { seconds: 0, bytes: 1_099_511_627_776 },
    ]);
  });

  it("are known by their exact name only", () => {
    expect(units.every(isUnit)).toBe(true);
    expect(["Day", "gib", "", "year", "toString", "constructor", "__proto__"].filter(isUnit)).toEqual([]);
  });

  it("take parts of themselves, rounded down", () => {
    expect(quantitySize({ amount: 0.5, unit: "day" })).toEqual({ seconds: 43_200, bytes: 0 });
    expect(quantitySize({ amount: 0.1, unit: "GiB" })).toEqual({ seconds: 0, bytes: 107_374_182 });
  });
});

describe("bought", () => {
  it("is exact at whole units", () => {
    fc.assert(
      fc.property(anyPrice, fc.integer({ min: 1, max: 1000 }), (price, count) => {
        expect(bought(price.amount * count, price)).toEqual(
          quantitySize({ amount: count, unit: price.unit }),
        );
      }),
    );
  });

  it("never is more than was paid for, and never a second or byte less", () => {
    fc.assert(
      fc.property(anyPaid, anyPrice, (paid, price) => {
        const got = bought(paid, price);
        const worth = BigInt(got.seconds + got.bytes) * BigInt(price.amount);
        const paidFor = BigInt(paid) * BigInt(size({ amount: 1, unit: price.unit }));
        fc.pre(got.seconds + got.bytes < Number.MAX_SAFE_INTEGER);
        expect(worth <= paidFor).toBe(true);
        expect(worth + BigInt(price.amount) > paidFor).toBe(true);
      }),
    );
  });

  it("never falls when more is paid, and stays in the tier's class", () => {
    fc.assert(
      fc.property(anyPaid, anyPaid, anyPrice, (paid, more, price) => {
        const less = bought(paid, price);
        const greater = bought(paid + more, price);
        expect(greater.seconds).toBeGreaterThanOrEqual(less.seconds);
        expect(greater.bytes).toBeGreaterThanOrEqual(less.bytes);
        expect(price.unit.endsWith("iB") ? greater.seconds : greater.bytes).toBe(0);
      }),
    );
  });

  it("is as fast as its tier; the tier is the same one at any rate, and its tag names none", () => {
    const tier = { ...sat(100, "day"), rateMbit: 50 };
    expect(bought(200, tier)).toEqual({ seconds: 172_800, bytes: 0, rateMbit: 50 });
    expect(samePrice(tier, sat(100, "day"))).toBe(true);
    expect(priceTag(tier)).toEqual(priceTag(sat(100, "day")));
  });

  it("stays a safe integer for any sum", () => {
    expect(bought(Number.MAX_SAFE_INTEGER, sat(1, "TiB"))).toEqual({
      seconds: 0,
      bytes: Number.MAX_SAFE_INTEGER,
    });
  });

  it("counts decimal prices exactly", () => {
    expect(bought(3, { amount: 0.1, currency: "usd", unit: "hour" })).toEqual({ seconds: 108_000, bytes: 0 });
  });

  it("calls a free tier and negative money a mistake", () => {
    expect(() => bought(1, sat(0, "day"))).toThrow(RangeError);
    expect(() => bought(-1, sat(1, "day"))).toThrow(RangeError);
    expect(() => bought(Number.NaN, sat(1, "day"))).toThrow(RangeError);
  });
});

describe("checkBounds", () => {
  const hour = { seconds: 3600, bytes: 0 };
  const gibibyte = { seconds: 0, bytes: 2 ** 30 };

  it("refuses below the min and above the max, and takes both ends", () => {
    const one = { amount: 1, unit: "hour" } as const;
    expect(checkBounds(hour, one, one)).toBeUndefined();
    expect(checkBounds({ seconds: 3599, bytes: 0 }, one, undefined)).toBe("below-min-purchase");
    expect(checkBounds({ seconds: 3601, bytes: 0 }, one, one)).toBe("above-max-purchase");
    expect(checkBounds({ seconds: 0, bytes: 2 ** 30 - 1 }, { amount: 1, unit: "GiB" }, undefined)).toBe(
      "below-min-purchase",
    );
    expect(checkBounds({ seconds: 0, bytes: 2 ** 30 + 1 }, undefined, { amount: 1, unit: "GiB" })).toBe(
      "above-max-purchase",
    );
  });

  it("does not hold time against data", () => {
    const tebibyte = { amount: 1, unit: "TiB" } as const;
    const year = { amount: 12, unit: "month" } as const;
    expect(checkBounds(hour, tebibyte, { amount: 0, unit: "GiB" })).toBeUndefined();
    expect(checkBounds(gibibyte, year, { amount: 0, unit: "hour" })).toBeUndefined();
  });

  it("refuses a purchase of nothing whatever the bounds", () => {
    expect(checkBounds({ seconds: 0, bytes: 0 }, undefined, undefined)).toBe("below-min-purchase");
  });
});

describe("payableRange", () => {
  it("is one unit without bounds, or with bounds of the other class", () => {
    const one = { minAmount: 1000, maxAmount: 1000 };
    expect(payableRange(sat(1000, "day"), undefined, undefined)).toEqual(one);
    const data = { amount: 5, unit: "GiB" } as const;
    expect(payableRange(sat(1000, "day"), data, data)).toEqual(one);
  });

  it("follows the bounds, the min rounded up to a whole sat and the max down", () => {
    const min = { amount: 1, unit: "hour" } as const;
    const max = { amount: 100, unit: "hour" } as const;
    expect(payableRange(sat(1000, "day"), min, max)).toEqual({ minAmount: 42, maxAmount: 4166 });
    expect(payableRange(sat(1000, "day"), min, undefined)).toEqual({ minAmount: 42, maxAmount: 42 });
    expect(payableRange(sat(1000, "day"), undefined, max)).toEqual({ minAmount: 1000, maxAmount: 4166 });
  });

  it("never is empty, and never asks for nothing", () => {
    expect(payableRange(sat(1000, "day"), undefined, { amount: 1, unit: "hour" })).toEqual({
      minAmount: 1000,
      maxAmount: 1000,
    });
    expect(payableRange(sat(1, "TiB"), { amount: 0, unit: "GiB" }, undefined).minAmount).toBe(1);
  });

  it("names ends that checkBounds takes, and one sat below the least it does not", () => {
    const count = fc.integer({ min: 1, max: 500 });
    fc.assert(
      fc.property(anyPrice, anyUnit, count, anyUnit, count, (price, minUnit, least, maxUnit, most) => {
        const min = { amount: least, unit: minUnit };
        const max = { amount: most, unit: maxUnit };
        const { minAmount, maxAmount } = payableRange(price, min, max);
        expect(minAmount).toBeLessThanOrEqual(maxAmount);
        const low = bought(minAmount, price);
        const high = bought(maxAmount, price);
        expect(checkBounds(low, min, undefined)).toBeUndefined();
        if (maxAmount > minAmount) expect(checkBounds(high, min, max)).toBeUndefined();
        const ownMin = price.unit.endsWith("iB") === minUnit.endsWith("iB");
        if (ownMin && minAmount > 1) {
          expect(checkBounds(bought(minAmount - 1, price), min, undefined)).toBe("below-min-purchase");
        }
      }),
    );
  });
});

describe("price tags", () => {
  it("are read back as they were written", () => {
    fc.assert(
      fc.property(decimal, anyUnit, (amount, unit) => {
        fc.pre(amount > 0);
        const price = { amount, currency: "sat", unit };
        expect(priceTag(price)[1]).toMatch(/^\d+(\.\d+)?$/);
        expect(readPriceTag(priceTag(price))).toEqual(price);
      }),
    );
  });

  it.each([
    [["price"]],
    [["price", "1000"]],
    [["price", "1000", "sat"]],
    [["price", "1000", "", "day"]],
    [["price", "1000", "sat", "fortnight"]],
    [["price", "0", "sat", "day"]],
    [["price", "-5", "sat", "day"]],
    [["price", "1e3", "sat", "day"]],
    [["price", " 1000", "sat", "day"]],
    [["price", "99999999999999999", "sat", "day"]],
    [["prize", "1000", "sat", "day"]],
  ])("that are none are not read: %j", (tag) => {
    expect(readPriceTag(tag)).toBeUndefined();
  });

  it("are the same but for the currency's case", () => {
    expect(samePrice(sat(1, "day"), { amount: 1, currency: "SAT", unit: "day" })).toBe(true);
    expect(samePrice(sat(1, "day"), sat(2, "day"))).toBe(false);
    expect(samePrice(sat(1, "day"), sat(1, "week"))).toBe(false);
    expect(samePrice(sat(1, "day"), { amount: 1, currency: "usd", unit: "day" })).toBe(false);
  });
});

describe("plain numbers", () => {
  it("carry no exponent", () => {
    expect([1e-7, 1.25e-9, 1e21, 1.5e21, 1000, 0.5].map(formatPlainNumber)).toEqual([
      "0.0000001",
      "0.00000000125",
      "1000000000000000000000",
      "1500000000000000000000",
      "1000",
      "0.5",
    ]);
  });

  it("are read back as they were written", () => {
    fc.assert(
      fc.property(decimal, (value) => {
        expect(parsePlainNumber(formatPlainNumber(value))).toBe(value);
      }),
    );
  });

  it("become fractions without loss", () => {
    expect(toFraction(0.1)).toEqual({ numerator: 1n, denominator: 10n });
    expect(toFraction(12.34)).toEqual({ numerator: 1234n, denominator: 100n });
  });

  it("are never negative or endless", () => {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => formatPlainNumber(value)).toThrow(RangeError);
    }
  });
});
