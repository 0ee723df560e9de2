import { Refusal } from "../protocol/refusal.ts";

const SLOTS = 2;
const MAX_WAITING = 32;

/** Runs at most two of the given jobs at once; the others wait in turn, a queue too long is refused. */
export type PreparingSlots = <T>(job: () => Promise<T>) => Promise<T>;

/** One for all mints: what it bounds is this process's CPU (rule 13). */
export function createPreparingSlots(): PreparingSlots {
  let free = SLOTS;
  const waiting: (() => void)[] = [];

  return async (job) => {
    if (free > 0) {
      free -= 1;
    } else {
      if (waiting.length >= MAX_WAITING) {
        throw new Refusal("mint-unreachable", "too many purchases at once; nothing was spent, try again", {
          retryAfterSeconds: 5,
        });
      }
      // A slot that becomes free is handed on, never put back, so that nobody can step in between.
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await job();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
