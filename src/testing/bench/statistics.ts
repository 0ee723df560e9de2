export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (value === undefined) throw new Error("nothing was measured");
  return value;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export async function tookMs(what: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await what();
  return performance.now() - startedMs;
}

/** Does each of the jobs once, so many at a time. Answers how many were done a second. */
export async function perSecond(jobs: readonly (() => Promise<unknown>)[], atOnce: number): Promise<number> {
  const left = [...jobs];
  const worker = async () => {
    for (let job = left.shift(); job; job = left.shift()) await job();
  };
  const ms = await tookMs(() => Promise.all(Array.from({ length: atOnce }, worker)));
  return (jobs.length / ms) * 1000;
}
