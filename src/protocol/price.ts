import { formatPlainNumber, parsePositiveNumber, toFraction } from "./plain-number.ts";

const HOUR = 3600n;
const DAY = 24n * HOUR;

const SECONDS_OF = { hour: HOUR, day: DAY, week: 7n * DAY, month: 30n * DAY } as const;
const BYTES_OF = { GiB: 2n ** 30n, TiB: 2n ** 40n } as const;

export type Unit = keyof typeof SECONDS_OF | keyof typeof BYTES_OF;

/** A tier: what ONE unit costs. A purchase names it by amount, currency and unit alone. */
export interface Price {
  amount: number;
  currency: string;
  unit: Unit;
  /** In Mbit/s, each way; left out where the tier has no rate of its own. */
  rateMbit?: number | undefined;
}

export interface Quantity {
  amount: number;
  unit: Unit;
}

/**
 * Exactly one of seconds and bytes is above 0; both are 0 when the money was not enough for one second or one byte,
 * which `checkBounds` always calls `below-min-purchase`.
 */
export interface Bought {
  seconds: number;
  bytes: number;
  /** The tier's. */
  rateMbit?: number | undefined;
}

/** Data tiers end after 30 days, used up or not. */
export const DATA_TIER_SECONDS = 30 * 86_400;

export function isUnit(text: string): text is Unit {
  return isTimeUnit(text) || isDataUnit(text);
}

function isTimeUnit(text: string): text is keyof typeof SECONDS_OF {
  return Object.hasOwn(SECONDS_OF, text);
}

function isDataUnit(text: string): text is keyof typeof BYTES_OF {
  return Object.hasOwn(BYTES_OF, text);
}

/** Seconds or bytes in one unit. */
function unitSize(unit: Unit): bigint {
  return isTimeUnit(unit) ? SECONDS_OF[unit] : BYTES_OF[unit];
}

/** `size` in the class of `unit`. Stops at 2^53 - 1, where numbers stop being exact. */
function inClassOf(unit: Unit, size: bigint): Bought {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  const count = Number(size < most ? size : most);
  return isTimeUnit(unit) ? { seconds: count, bytes: 0 } : { seconds: 0, bytes: count };
}

/** Whole seconds or bytes, rounded down. RangeError for a negative or endless amount. */
export function quantitySize(quantity: Quantity): Bought {
  const amount = toFraction(quantity.amount);
  return inClassOf(quantity.unit, (amount.numerator * unitSize(quantity.unit)) / amount.denominator);
}

/**
 * What `paid` buys, pro rata, rounded down to whole seconds or bytes. `paid` is in the price's own currency.
 * RangeError for a negative `paid` or a price that is not above 0.
 */
export function bought(paid: number, price: Price): Bought {
  const money = toFraction(paid);
  const cost = toFraction(price.amount);
  if (cost.numerator === 0n) throw new RangeError("a price must be above 0");
  const size =
    (money.numerator * cost.denominator * unitSize(price.unit)) / (money.denominator * cost.numerator);
  return { ...inClassOf(price.unit, size), rateMbit: price.rateMbit };
}

/** Seconds are held against bounds in time, bytes against bounds in data, never one against the other. */
export function checkBounds(
  bought: Bought,
  min: Quantity | undefined,
  max: Quantity | undefined,
): "below-min-purchase" | "above-max-purchase" | undefined {
  if (bought.seconds === 0 && bought.bytes === 0) return "below-min-purchase";
  const field = bought.seconds > 0 ? "seconds" : "bytes";
  if (min && isSameClass(min.unit, field) && bought[field] < quantitySize(min)[field]) {
    return "below-min-purchase";
  }
  if (max && isSameClass(max.unit, field) && bought[field] > quantitySize(max)[field]) {
    return "above-max-purchase";
  }
  return undefined;
}

function isSameClass(unit: Unit, field: keyof Bought): boolean {
  return isTimeUnit(unit) === (field === "seconds");
}

/**
 * What may be paid for a tier at once, in whole sat (or the price's currency): from one unit, or `min` rounded
 * up, to `max` rounded down, or no more than the least. A `max` below the least is lifted to it, since LUD-06
 * knows no empty range; `checkBounds` then refuses every purchase.
 */
export function payableRange(
  price: Price,
  min: Quantity | undefined,
  max: Quantity | undefined,
): { minAmount: number; maxAmount: number } {
  const least = appliesTo(price, min) ? min : { amount: 1, unit: price.unit };
  const minAmount = Math.max(1, costOf(least, price, "up"));
  if (!appliesTo(price, max)) return { minAmount, maxAmount: minAmount };
  return { minAmount, maxAmount: Math.max(minAmount, costOf(max, price, "down")) };
}

function appliesTo(price: Price, bound: Quantity | undefined): bound is Quantity {
  return bound !== undefined && isTimeUnit(bound.unit) === isTimeUnit(price.unit);
}

function costOf(quantity: Quantity, price: Price, rounding: "up" | "down"): number {
  const amount = toFraction(quantity.amount);
  const cost = toFraction(price.amount);
  const size = (amount.numerator * unitSize(quantity.unit)) / amount.denominator;
  const divisor = cost.denominator * unitSize(price.unit);
  const rounded = (size * cost.numerator + (rounding === "up" ? divisor - 1n : 0n)) / divisor;
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(rounded < most ? rounded : most);
}

/** Currency codes are compared without regard to case. */
export function samePrice(a: Price, b: Price): boolean {
  return a.amount === b.amount && a.unit === b.unit && a.currency.toLowerCase() === b.currency.toLowerCase();
}

/** `1000 sat/day`, for people. */
export function describePrice(price: Price): string {
  return `${formatPlainNumber(price.amount)} ${price.currency}/${price.unit}`;
}

export function priceTag(price: Price): string[] {
  return ["price", formatPlainNumber(price.amount), price.currency, price.unit];
}

/** `undefined` for what is no `["price", "<amount above 0>", "<currency>", "<unit>"]`. */
export function readPriceTag(tag: readonly string[]): Price | undefined {
  const [name, amountText, currency, unit] = tag;
  const amount = parsePositiveNumber(amountText);
  if (name !== "price" || amount === undefined || !currency || unit === undefined || !isUnit(unit)) {
    return undefined;
  }
  return { amount, currency, unit };
}
