import type { Rate } from "./rate-spans.ts";
import { type RateStep, rateSteps } from "./rate-steps.ts";
import type { Session } from "./session-row.ts";
import { bytesLeft } from "./terms.ts";

/** Which sessions have another rate once their time goes on, or their data is used: most have the same to their end. */
export function createRateTurns(defaultRate: Rate, find: (sessionId: string) => Session | undefined) {
  const turns = new Map<string, RateStep>();

  return {
    /** The session is held to the rate that it has at `now`. */
    note({ sessionId, terms }: Session, now: number): void {
      const mayTurn = terms.timeRates.length + terms.dataRates.length > 0;
      const [step, next] = mayTurn ? rateSteps(terms, now, defaultRate) : [];
      if (step && next) turns.set(sessionId, step);
      else turns.delete(sessionId);
    },
    /** Those that run and have had another rate since they were noted. */
    take(now: number): string[] {
      const turned: string[] = [];
      for (const [sessionId, { until, untilBytesLeft }] of turns) {
        if (until !== null && until > now) continue;
        const session = find(sessionId);
        const isActive = session?.status === "active";
        if (isActive && untilBytesLeft !== null && bytesLeft(session.terms) > untilBytesLeft) continue;
        turns.delete(sessionId);
        if (isActive) turned.push(sessionId);
      }
      return turned;
    },
  };
}
