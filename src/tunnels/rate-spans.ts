/** In Mbit/s, each way. Null: that of tunnels whose tier names none, whatever it is by then. */
export type Rate = number | null;

/** Up to `until` the tunnel has this rate. Spans stand in the order of their ends; beyond the last the rate is null. */
export interface RateSpan {
  until: number;
  rateMbit: Rate;
}

/** What was bought and is not used yet: time from now to its end in unix seconds, or data from the byte now used. */
export interface Line {
  from: number;
  until: number;
}

/** Null is taken for `defaultRate`, and no limit at all for the fastest. */
export function speedOf(rate: Rate, defaultRate: Rate): number {
  return rate ?? defaultRate ?? Number.POSITIVE_INFINITY;
}

/** What of the spans lies in the line, which they then cover to its end. */
export function spansLeft(spans: readonly RateSpan[], { from, until }: Line): RateSpan[] {
  const left: RateSpan[] = [];
  let start = from;
  for (const { until: end, rateMbit } of [...spans, { until, rateMbit: null }]) {
    if (Math.min(end, until) <= start) continue;
    start = Math.min(end, until);
    left.push({ until: start, rateMbit });
  }
  return left;
}

export function rateAt(spans: readonly RateSpan[], position: number): Rate {
  return spans.find(({ until }) => until > position)?.rateMbit ?? null;
}

/**
 * The spans of the line once so much at a rate of its own is added to it. There is as much of every other rate as
 * before; the fastest comes first, so that a purchase neither shortens nor narrows.
 */
export function withAdded(
  spans: readonly RateSpan[],
  line: Line,
  added: { length: number; rateMbit: Rate },
  defaultRate: Rate,
): RateSpan[] {
  const lengths = new Map<Rate, number>();
  let end = line.from;
  for (const { until, rateMbit } of spansLeft(spans, line)) {
    lengths.set(rateMbit, (lengths.get(rateMbit) ?? 0) + until - end);
    end = until;
  }
  lengths.set(added.rateMbit, (lengths.get(added.rateMbit) ?? 0) + added.length);
  const fastestFirst = [...lengths].sort(([a], [b]) =>
    descending(speedOf(a, defaultRate), speedOf(b, defaultRate)),
  );
  let start = line.from;
  const all = fastestFirst.map(([rateMbit, length]) => {
    start += length;
    return { until: start, rateMbit };
  });
  return all.at(-1)?.rateMbit === null ? all.slice(0, -1) : all;
}

/** Both may be infinite. */
function descending(a: number, b: number): number {
  return a === b ? 0 : b - a;
}
