import type { Facts } from "../db/facts.ts";

const LAST_HEARTBEAT = "last-heartbeat";

export interface HeartbeatOptions {
  facts: Pick<Facts, "get" | "set">;
  /** 0: never. */
  everyHours: number;
  now: () => number;
}

/** Whether a sign of life is due; the last one's time is in the book, so that restarts neither add nor skip one. */
export function createHeartbeat({ facts, everyHours, now }: HeartbeatOptions) {
  return {
    /** When one is due, writes down that it is given, and answers by the time from which it is to tell. */
    take(): number | undefined {
      const everySeconds = everyHours * 3_600;
      const last = Number(facts.get(LAST_HEARTBEAT) ?? 0);
      // Also when the last one lies ahead: its clock was wrong.
      if (everyHours === 0 || Math.abs(now() - last) < everySeconds) return undefined;
      facts.set(LAST_HEARTBEAT, String(now()));
      return last === 0 || last > now() ? now() - everySeconds : last;
    },
  };
}
