import { createHash } from "node:crypto";
import type { LimitChange, LimitRemoval, LimitSetting, LimitsView, SessionLimit } from "./ports.ts";
import { bytesLeft, type Terms, unlimited } from "./terms.ts";

/** Beyond ten years no end is worth a timer. */
const MOST_MS = 10 * 365 * 86_400_000;
/** What the kernel prints of an end is rounded, and a look takes a while. */
const END_SLACK_MS = 2_500;

/** Ids of an older daemon's rows are any text, and this name gets near `nft`. */
export function limitName(sessionId: string): string {
  return `s${createHash("sha256").update(sessionId).digest("hex").slice(0, 32)}`;
}

/** A session's terms in the kernel's way: what is left of them, at a moment in unix ms. */
export function limitOf(
  { sessionId, terms, rateMbit }: { sessionId: string; terms: Terms; rateMbit: number | null },
  addresses: string[],
  nowMs: number,
): SessionLimit {
  const { timeUntil, dataUntil, quotaBytes, usedBytes } = terms;
  const time = unlimited(terms) ? { leftMs: null } : timeUntil === null ? undefined : left(timeUntil, nowMs);
  const dataEnd = dataUntil === null ? { leftMs: null } : left(dataUntil, nowMs);
  const data =
    quotaBytes === null || bytesLeft(terms) === 0 || dataEnd === undefined
      ? undefined
      : { ...dataEnd, totalBytes: Math.trunc(quotaBytes), usedBytes: Math.max(0, Math.trunc(usedBytes)) };
  return { name: limitName(sessionId), addresses, time, data, rateMbit };
}

function left(until: number, nowMs: number): { leftMs: number | null } | undefined {
  const leftMs = until * 1000 - nowMs;
  if (leftMs <= 0) return undefined;
  return { leftMs: leftMs > MOST_MS ? null : leftMs };
}

/**
 * Compares the kernel's limits with the book's. Pure. Without `endsAreSure`, while the clock is in doubt, an end that
 * stands in the kernel stays as it is: the kernel's own clock has counted on.
 */
export function compareLimits(
  view: LimitsView,
  desired: readonly SessionLimit[],
  endsAreSure: boolean,
): Pick<LimitChange, "rebuild" | "set" | "remove"> {
  if (!view.whole) return { rebuild: true, set: desired.map(anew), remove: [] };
  const isAsDesired = (limit: SessionLimit) =>
    limit.addresses.every((address) => addressIsAsDesired(view, limit, address, endsAreSure)) &&
    countIsAsDesired(view, limit) &&
    rateIsAsDesired(view, limit);
  return {
    rebuild: false,
    set: desired.filter((limit) => !isAsDesired(limit)).map((limit) => settingFor(view, limit)),
    remove: strayLimits(view, desired),
  };
}

/**
 * How a limit is to be set over what the kernel has. A count that drops have carried beyond its total says no more how
 * far: it begins anew at the total, or later where the book knows more.
 */
export function settingFor({ counts }: Pick<LimitsView, "counts">, limit: SessionLimit): LimitSetting {
  const count = counts.get(limit.name);
  if (count === undefined || limit.data === undefined) return anew(limit);
  if (count.usedBytes <= count.totalBytes) return { ...limit, counts: "on" };
  const usedBytes = Math.max(limit.data.usedBytes, count.totalBytes);
  return anew({ ...limit, data: { ...limit.data, usedBytes } });
}

/** For a limit that the kernel is not known to count for. */
export function anew(limit: SessionLimit): LimitSetting {
  return { ...limit, counts: "anew" };
}

/** What each count has come to, by name. Beyond its total nothing passed: that was dropped. */
export function usedBytes({ counts }: Pick<LimitsView, "counts">): Map<string, number> {
  return new Map([...counts].map(([name, count]) => [name, Math.min(count.usedBytes, count.totalBytes)]));
}

function addressIsAsDesired(
  view: LimitsView,
  { name, time, data }: SessionLimit,
  address: string,
  endsAreSure: boolean,
): boolean {
  const seenTime = view.time.get(address);
  const seenData = view.data.get(address);
  if (!view.limited.has(address) || (seenData !== undefined && seenData.name !== name)) return false;
  return !endsAreSure || (isSameEnd(seenTime, time) && isSameEnd(seenData?.leftMs, data));
}

function isSameEnd(
  seenMs: number | null | undefined,
  wanted: { leftMs: number | null } | undefined,
): boolean {
  if (seenMs === undefined || wanted === undefined) return seenMs === undefined && wanted === undefined;
  if (seenMs === null || wanted.leftMs === null) return seenMs === wanted.leftMs;
  return Math.abs(seenMs - wanted.leftMs) < END_SLACK_MS;
}

/** To the byte a second: the kernel knows nothing smaller. */
function rateIsAsDesired(view: LimitsView, { addresses, rateMbit }: SessionLimit): boolean {
  const seen = addresses.flatMap((address) => view.rates.get(address) ?? []);
  if (rateMbit === null) return seen.length === 0;
  return seen.length === 1 && seen.every((seenMbit) => Math.abs(seenMbit - rateMbit) < 4e-6);
}

function countIsAsDesired(view: LimitsView, { name, data }: SessionLimit): boolean {
  const count = view.counts.get(name);
  if (data === undefined || count === undefined) return data === undefined && count === undefined;
  return count.totalBytes === data.totalBytes;
}

/** Addresses of no session, those that lead to another session's count, and counts of no session. */
function strayLimits(view: LimitsView, desired: readonly SessionLimit[]): LimitRemoval[] {
  const nameOf = new Map(
    desired.flatMap(({ name, addresses }) => addresses.map((each) => [each, name] as const)),
  );
  const names = new Set(desired.map(({ name }) => name));
  const stray = new Map<string | undefined, string[]>();
  for (const name of view.counts.keys()) if (!names.has(name)) stray.set(name, []);
  const seen = [view.limited, view.time.keys(), view.data.keys(), view.rates.keys()];
  for (const address of new Set(seen.flatMap((keys) => [...keys]))) {
    const seenName = view.data.get(address)?.name;
    if (nameOf.has(address) && (seenName === undefined || nameOf.get(address) === seenName)) continue;
    stray.set(seenName, [...(stray.get(seenName) ?? []), address]);
  }
  return [...stray].map(([name, addresses]) => ({
    addresses,
    count: name === undefined ? undefined : { name, goes: !names.has(name) },
  }));
}
