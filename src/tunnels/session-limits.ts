import type { Bought } from "../protocol/price.ts";
import type { AddressPool } from "./address-pool.ts";
import { limitOf } from "./limits.ts";
import type { SessionLimit } from "./ports.ts";
import type { Rate } from "./rate-spans.ts";
import { rateSteps } from "./rate-steps.ts";
import { createRateTurns } from "./rate-turns.ts";
import { isUsable, type Session } from "./session-row.ts";
import { rateOf, type Terms } from "./terms.ts";

interface LimitedSessions {
  pool: Pick<AddressPool, "inBoth">;
  /** Of tunnels whose tier has none. */
  defaultRate: Rate;
  find(sessionId: string): Session | undefined;
  mustFind(sessionId: string): Session;
  live(): Session[];
  termsAfter(session: Session, bought: Bought, from: number): Terms;
  /** The kernel is told to count by this name for the session. */
  countedAs(name: string, sessionId: string): void;
}

/** What the kernel is to hold sessions to, at a moment in unix ms. */
export function createSessionLimits({
  pool,
  defaultRate,
  find,
  mustFind,
  live,
  termsAfter,
  countedAs,
}: LimitedSessions) {
  const turns = createRateTurns(defaultRate, find);

  function limitFor(session: Session, nowMs: number): SessionLimit {
    const rateMbit = rateOf(session.terms, nowMs / 1000) ?? defaultRate;
    const limit = limitOf({ ...session, rateMbit }, pool.inBoth(session.address), nowMs);
    if (limit.data) countedAs(limit.name, session.sessionId);
    return limit;
  }

  function presentLimit(session: Session, nowMs: number): SessionLimit {
    turns.note(session, nowMs / 1000);
    return limitFor(session, nowMs);
  }

  return {
    /** Of every live session. */
    limits: (nowMs: number): SessionLimit[] =>
      live()
        .filter(isUsable)
        .map((session) => presentLimit(session, nowMs)),
    limit: (sessionId: string, nowMs: number): SessionLimit => presentLimit(mustFind(sessionId), nowMs),
    /** As it would be with a purchase added at `now`. */
    limitWith(sessionId: string, bought: Bought, now: number, nowMs: number): SessionLimit {
      const session = mustFind(sessionId);
      return limitFor({ ...session, terms: termsAfter(session, bought, now) }, nowMs);
    },
    /** How fast it is from now to its end. */
    rates: ({ terms }: Session, now: number) => rateSteps(terms, now, defaultRate),
    /** Sessions that have another rate by now than their limit says. */
    takeTurned: (now: number) => turns.take(now),
  };
}
