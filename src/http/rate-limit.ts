export interface RateLimiter {
  /** 0 when the request is within the limit, else the seconds until one more will be. */
  take(key: string): number;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/**
 * Token buckets: `perMinute` at once, then that many a minute, evenly. At most `maxKeys` are remembered, those
 * least recently asked for are forgotten first. `nowMs` must not go backwards.
 */
export function createRateLimiter(perMinute: number, maxKeys: number, nowMs: () => number): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const perMs = perMinute / 60_000;

  function take(key: string): number {
    const now = nowMs();
    const bucket = buckets.get(key) ?? { tokens: perMinute, filledAtMs: now };
    const tokens = Math.min(perMinute, bucket.tokens + (now - bucket.filledAtMs) * perMs);
    const allowed = tokens >= 1;
    buckets.delete(key);
    buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, filledAtMs: now });
    if (buckets.size > maxKeys) forgetOldest();
    return allowed ? 0 : Math.max(1, Math.ceil((1 - tokens) / perMs / 1000));
  }

  function forgetOldest(): void {
    const oldest = buckets.keys().next();
    if (!oldest.done) buckets.delete(oldest.value);
  }

  return { take };
}
