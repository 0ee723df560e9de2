import type { Clock } from "../clock.ts";
import type { Facts } from "../db/facts.ts";

/** What the monotonic clock and the wall clock may drift apart between two looks, e.g. by NTP. */
const RUNNING_SLACK_SECONDS = 300;
/** How long a machine may have been off before its clock is doubted. */
const START_SLACK_SECONDS = 7 * 86_400;
const LAST_SEEN = "clock-last-seen";

export type ClockGuard = ReturnType<typeof createClockGuard>;

/**
 * Doubts a wall clock that is behind the last time the book saw, or ahead by more than can be explained: by the
 * monotonic clock while running, by seven days at a start. While in doubt nothing expires and nothing is sold.
 */
export function createClockGuard(
  facts: Facts,
  clock: Clock,
  monotonicMs: () => number,
  acceptClock: boolean,
) {
  let last = { wall: Number(facts.get(LAST_SEEN) ?? clock.now()), monotonicMs: monotonicMs() };
  let slackSeconds = START_SLACK_SECONDS;
  let doubt: string | undefined;
  if (acceptClock) last.wall = clock.now();

  return {
    /** Looks at both clocks; call once a tick, and before a first use. Returns the trusted time, or undefined. */
    check(): number | undefined {
      const now = clock.now();
      const expected = last.wall + (monotonicMs() - last.monotonicMs) / 1000;
      if (now < last.wall - 1) {
        doubt = `the clock says ${isoTime(now)}, but the book has already seen ${isoTime(last.wall)}`;
      } else if (now > expected + slackSeconds) {
        doubt = `the clock says ${isoTime(now)}, but by the book it should be about ${isoTime(expected)}`;
      } else {
        doubt = undefined;
        slackSeconds = RUNNING_SLACK_SECONDS;
        last = { wall: Math.max(now, last.wall), monotonicMs: monotonicMs() };
        return last.wall;
      }
      return undefined;
    },
    /** Why the clock is not trusted, with the mend; undefined when it is. */
    doubt: () => doubt && `${doubt}; synchronise the time, or start with --accept-clock if it is right`,
    /** The last time that was trusted, before the first check the book's. */
    lastSeen: () => last.wall,
    /** Writes the last time seen into the book. */
    remember: () => facts.set(LAST_SEEN, String(last.wall)),
  };
}

function isoTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString();
}
