import type { Bought } from "../protocol/price.ts";
import { DATA_TIER_SECONDS } from "../protocol/price.ts";
import { type Rate, type RateSpan, rateAt, withAdded } from "./rate-spans.ts";

/**
 * What a session still has a right to: time until `timeUntil`, and beside it data left until `dataUntil`.
 * Data is charged only while no time runs; the peer stays while either holds.
 */
export interface Terms {
  /** Unix seconds; null when no time was ever bought. */
  timeUntil: number | null;
  /** Unix seconds; null for data without an end (old databases) or no data at all. */
  dataUntil: number | null;
  /** Bytes bought so far; null when no data was ever bought. */
  quotaBytes: number | null;
  /** Bytes charged so far. */
  usedBytes: number;
  /** How fast the time is, in unix seconds, and the data, in bytes charged. */
  timeRates: readonly RateSpan[];
  dataRates: readonly RateSpan[];
}

export const noTerms: Terms = {
  timeUntil: null,
  dataUntil: null,
  quotaBytes: null,
  usedBytes: 0,
  timeRates: [],
  dataRates: [],
};

export function timeRuns(terms: Terms, now: number): boolean {
  return terms.timeUntil !== null && terms.timeUntil > now;
}

export function bytesLeft(terms: Terms): number {
  return terms.quotaBytes === null ? 0 : Math.max(0, terms.quotaBytes - terms.usedBytes);
}

/** The rate that holds now: the time's while time runs, else the data's. */
export function rateOf(terms: Terms, now: number): Rate {
  return timeRuns(terms, now) ? rateAt(terms.timeRates, now) : rateAt(terms.dataRates, terms.usedBytes);
}

/** An old row may have neither an end nor a quota: it was sold without limits and keeps that. */
export function unlimited(terms: Terms): boolean {
  return terms.timeUntil === null && terms.quotaBytes === null;
}

/** Unix seconds at which the peer goes if no more data is used; null for never. */
export function effectiveEnd(terms: Terms): number | null {
  if (unlimited(terms)) return null;
  if (bytesLeft(terms) === 0) return terms.timeUntil ?? 0;
  return terms.dataUntil === null ? null : Math.max(terms.timeUntil ?? 0, terms.dataUntil);
}

export function isOver(terms: Terms, now: number): boolean {
  const end = effectiveEnd(terms);
  return end !== null && end <= now;
}

/**
 * The terms of a row whose end an older daemon may have changed since we wrote it: that end is in force. Its table has
 * one end, the data's where there is a quota, else the time's.
 */
export function withEndOf(row: number | null, terms: Terms): Terms {
  const { timeUntil, dataUntil, quotaBytes } = terms;
  const end = row === null ? null : Math.trunc(row);
  if (quotaBytes === null) return end === timeUntil ? terms : { ...terms, timeUntil: end };
  const bothEnds = dataUntil === null ? null : Math.max(timeUntil ?? 0, dataUntil);
  if (end === timeUntil || end === bothEnds) return terms;
  const isShorter = end !== null && timeUntil !== null && end < timeUntil;
  return { ...terms, dataUntil: end, timeUntil: isShorter ? end : timeUntil };
}

/** What used up a session that came to its end at `endedAt`: its data, when that outlasted its time. */
export function endCause(terms: Terms, endedAt: number): "time" | "data" {
  const dataGone = terms.quotaBytes !== null && bytesLeft(terms) === 0;
  return dataGone && endedAt > (terms.timeUntil ?? 0) ? "data" : "time";
}

/**
 * Adds a purchase. Never shortens, never narrows: new end = max(old end, now) + bought, the faster part first. `noTerms`
 * are taken for a session that never ran; one that runs without limits must not come here, since it has nothing to gain.
 */
export function extend(terms: Terms, bought: Bought, now: number, defaultRate: Rate = null): Terms {
  const rateMbit = bought.rateMbit ?? null;
  if (bought.seconds > 0) {
    const line = { from: now, until: Math.max(terms.timeUntil ?? 0, now) };
    return {
      ...terms,
      timeUntil: exact(line.until + bought.seconds),
      timeRates: withAdded(terms.timeRates, line, { length: bought.seconds, rateMbit }, defaultRate),
    };
  }
  const lapsed = terms.dataUntil !== null && terms.dataUntil <= now;
  const left = lapsed ? 0 : bytesLeft(terms);
  const usedBytes = Math.min(terms.usedBytes, terms.quotaBytes ?? 0);
  const line = { from: usedBytes, until: usedBytes + left };
  const hasEnd = terms.quotaBytes === null || terms.dataUntil !== null || left === 0;
  return {
    ...terms,
    usedBytes,
    quotaBytes: exact(line.until + bought.bytes),
    dataRates: withAdded(terms.dataRates, line, { length: bought.bytes, rateMbit }, defaultRate),
    dataUntil: hasEnd ? Math.max(terms.dataUntil ?? 0, now + DATA_TIER_SECONDS) : null,
  };
}

/** Charges traffic, unless time ran when the traffic began to be counted, or nothing is left to charge. */
export function charge(terms: Terms, bytes: number, countedSince: number): Terms {
  if (bytesLeft(terms) === 0 || timeRuns(terms, countedSince)) return terms;
  return { ...terms, usedBytes: terms.usedBytes + bytes };
}

/** Beyond 2^53 numbers stop being exact; nobody lives to see that end. */
function exact(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}
