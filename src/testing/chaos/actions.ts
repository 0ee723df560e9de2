import { setTimeout as sleep } from "node:timers/promises";
import { NetworkError } from "@cashu/cashu-ts";
import type { Crowd } from "./crowd.ts";
import type { OurMint } from "./mint-child.ts";
import { makeOverlapping, makePayment, type Payment, type TokenSource } from "./payments.ts";
import type { Person } from "./people.ts";
import type { RoundPlan } from "./plan.ts";
import type { ActionPlan } from "./plan-actions.ts";

/** While so many wait for their answer, nobody new comes: short lives would only be spent on refusing. */
const MOST_WAITING = 16;
const MOST_TRIES = 3;

/** Tokens of one round, made before it begins. */
export type RoundTokens = (Payment[] | undefined)[];

export function prepareTokens(source: TokenSource, plan: RoundPlan): Promise<RoundTokens> {
  return Promise.all(
    plan.actions.map(async (action) => {
      if (!("token" in action)) return undefined;
      const { kind, token } = action;
      if (kind === "overlap") return untilMade(() => makeOverlapping(source, token));
      return [await untilMade(() => makePayment(source, token, kind === "spent-elsewhere"))];
    }),
  );
}

/** A mint may close a connection just when a request comes on it; whoever wants a token asks for another one then. */
async function untilMade<T>(make: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof NetworkError) || tries === MOST_TRIES) throw error;
    }
  }
}

/** Resolves when whoever acts knows what came of it, which may be some lives of the daemon later. */
export async function play(
  ours: OurMint | undefined,
  crowd: Crowd,
  action: ActionPlan,
  [payment, other]: Payment[],
): Promise<void> {
  await sleep(action.atMs);
  if (crowd.waiting() >= MOST_WAITING) return;
  switch (action.kind) {
    case "repeat":
    case "move": {
      const person = choose(crowd, action.who, action.kind === "move" ? mayMove : isIdle);
      if (person) await (action.kind === "move" ? crowd.move(person) : crowd.repeat(person));
      return;
    }
    case "invoices": {
      const known = action.who === undefined ? undefined : choose(crowd, action.who, isIdle);
      const person = known ?? crowd.newcomer();
      await Promise.all(action.invoices.map((invoice) => crowd.payers.order(person, invoice)));
      return;
    }
    case "renew": {
      const person = choose(crowd, action.who, isIdle) ?? crowd.newcomer();
      if (payment) await crowd.pursue(person, payment, action.twice);
      return;
    }
    case "spent-elsewhere": {
      if (!payment) return;
      if (action.afterMs < 0) await payment.takeBack();
      const pursuing = crowd.pursue(crowd.newcomer(), payment, false);
      if (action.afterMs >= 0) await sleep(action.afterMs).then(payment.takeBack);
      return pursuing;
    }
    case "pending": {
      if (!payment) return;
      const ys = payment.coins.map(({ y }) => y);
      await ours?.pend(ys);
      const pursuing = crowd.pursue(crowd.newcomer(), payment, false);
      await sleep(action.forMs);
      await ours?.unpend(ys);
      return pursuing;
    }
    case "buy":
    case "two-keys":
    case "overlap": {
      if (!payment) return;
      const pursuits = [crowd.pursue(crowd.newcomer(), payment, action.twice)];
      const rival = action.kind === "overlap" ? other : action.kind === "two-keys" ? payment : undefined;
      if (rival) pursuits.push(crowd.pursue(crowd.newcomer(), rival, false));
      await Promise.all(pursuits);
    }
  }
}

/** One of those who have a tunnel, by a number of 0 to 1. */
function choose(crowd: Crowd, who: number, fits: (person: Person) => boolean): Person | undefined {
  const served = crowd.people.filter((person) => person.address !== undefined && fits(person));
  return served[Math.floor(who * served.length)];
}

/** A move is over before its buyer buys again. */
function isIdle({ asking }: Person): boolean {
  return asking === 0;
}

/** What an invoice paid for stays with its key, and only a token moves a tunnel. */
function mayMove(person: Person): boolean {
  return isIdle(person) && person.bills.length === 0 && person.moves < 4;
}
