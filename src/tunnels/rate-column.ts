import type { RateSpan } from "./rate-spans.ts";

/** Spans as the book has them, `[[1800003600,50],[1802588400,null]]`; NULL for none. */
export function toRateColumn(spans: readonly RateSpan[]): string | null {
  return spans.length === 0 ? null : JSON.stringify(spans.map(({ until, rateMbit }) => [until, rateMbit]));
}

/** None for what is no list of spans: a tunnel that was paid for must not fail to come up for that. */
export function fromRateColumn(column: string | null): RateSpan[] {
  if (column === null) return [];
  const list = parsed(column);
  return Array.isArray(list) && list.every(isSpan)
    ? list.map(([until, rateMbit]) => ({ until, rateMbit }))
    : [];
}

function isSpan(value: unknown): value is [number, number | null] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [until, rateMbit] = value;
  return typeof until === "number" && (rateMbit === null || (typeof rateMbit === "number" && rateMbit > 0));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
