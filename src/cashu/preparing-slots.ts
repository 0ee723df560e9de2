import { Refusal } from "../protocol/refusal.ts";
import { createSemaphore } from "../semaphore.ts";

const SLOTS = 2;
const MAX_WAITING = 32;

/** Runs at most two of the given jobs at once; the others wait in turn, a queue too long is refused. */
export type PreparingSlots = <T>(job: () => Promise<T>) => Promise<T>;

/** One for all mints: what it bounds is this process's CPU (rule 13). */
export function createPreparingSlots(): PreparingSlots {
  const slots = createSemaphore(SLOTS, MAX_WAITING);
  return async (job) => {
    const running = slots.tryRun(job);
    if (running) return running;
    throw new Refusal("mint-unreachable", "too many purchases at once; nothing was spent, try again", {
      retryAfterSeconds: 5,
    });
  };
}
