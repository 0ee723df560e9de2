export interface RateLimiter {
  /** 0 when the request is within the limit, else the seconds until one more will be. */
  take(key: string): number;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/**
 * Token buckets: `perMinute` at once, then that many a minute, evenly. At most `maxKeys` are remembered, the half of them
 * that was asked for last for sure. `nowMs` must not go backwards.
 */
export function createRateLimiter(perMinute: number, maxKeys: number, nowMs: () => number): RateLimiter {
  // Two maps and not one by age: to find a Map's oldest entry gets dear once many before it were deleted.
  let recent = new Map<string, Bucket>();
  let former = new Map<string, Bucket>();
  const perMs = perMinute / 60_000;

  function bucketOf(key: string, now: number): Bucket {
    const known = recent.get(key);
    if (known) return known;
    const bucket = former.get(key) ?? { tokens: perMinute, filledAtMs: now };
    if (recent.size >= maxKeys / 2) {
      former = recent;
      recent = new Map();
    }
    recent.set(key, bucket);
    return bucket;
  }

  function take(key: string): number {
    const now = nowMs();
    const bucket = bucketOf(key, now);
    bucket.tokens = Math.min(perMinute, bucket.tokens + (now - bucket.filledAtMs) * perMs);
    bucket.filledAtMs = now;
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1000));
    bucket.tokens -= 1;
    return 0;
  }

  return { take };
}
