/** A decimal number as a fraction of integers, so that money is never counted in floating point. */
export interface Fraction {
  numerator: bigint;
  denominator: bigint;
}

/** Digits with an optional fraction and no exponent: `1000`, `0.0000001`. RangeError for what is no amount. */
export function formatPlainNumber(value: number): string {
  if (!Number.isFinite(value) || value < 0) throw new RangeError("an amount must be a number of 0 or more");
  const [mantissa = "", exponentText] = String(value).split("e");
  if (exponentText === undefined) return mantissa;
  const exponent = Number(exponentText);
  const [whole = "", decimals = ""] = mantissa.split(".");
  if (exponent < 0) return `0.${"0".repeat(-exponent - whole.length)}${whole}${decimals}`;
  return whole + decimals.padEnd(exponent, "0");
}

/** Reads what `formatPlainNumber` writes; `undefined` for signs, exponents, spaces and over 2^53 - 1. */
export function parsePlainNumber(text: string): number | undefined {
  if (!/^\d{1,16}(\.\d{1,30})?$/.test(text)) return undefined;
  const value = Number(text);
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** As `parsePlainNumber`, without zero. */
export function parsePositiveNumber(text: string | undefined): number | undefined {
  const value = text === undefined ? undefined : parsePlainNumber(text);
  return value === undefined || value === 0 ? undefined : value;
}

export function toFraction(value: number): Fraction {
  const [whole = "", decimals = ""] = formatPlainNumber(value).split(".");
  return { numerator: BigInt(whole + decimals), denominator: 10n ** BigInt(decimals.length) };
}
