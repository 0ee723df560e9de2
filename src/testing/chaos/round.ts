import { setTimeout as sleep } from "node:timers/promises";
import { readUnfinished } from "./book-reader.ts";
import type { Crowd, Person } from "./crowd.ts";
import type { FaultyWay, WayFault } from "./faulty-way.ts";
import type { ChaosMarket } from "./market.ts";
import { type Life, startLife } from "./mortal-daemon.ts";
import { makeOverlapping, makePayment, type Payment, type TokenSource } from "./payments.ts";
import type { ActionPlan, KillPlan, RoundPlan } from "./plan.ts";

/** How one life of the daemon ended. */
export interface Death {
  /** A boundary, `starting`, `running`, or `by itself`. */
  at: string;
  /** What was not at rest; of several, the first of these. */
  state: "paid" | "swapping" | "owed" | "wallet waiting" | "at rest";
  problem: string | undefined;
}

/** A boundary that is not reached by then is not reached in this round. */
const BOUNDARY_WITHIN_MS = 1_000;
/** For those that a sale comes to only after it was open for longer than an address is held. */
const LATE_BOUNDARY_WITHIN_MS = 3_500;
const LISTENING_WITHIN_MS = 20_000;
/** While so many wait for their answer, nobody new comes: short lives would only be spent on refusing. */
const MOST_WAITING = 16;

/** Tokens of one round, made before it begins. */
export type RoundTokens = (Payment[] | undefined)[];

export function prepareTokens(source: TokenSource, plan: RoundPlan): Promise<RoundTokens> {
  return Promise.all(
    plan.actions.map(async (action) => {
      if (!("token" in action)) return undefined;
      if (action.kind === "overlap") return makeOverlapping(source, action.token);
      return [await makePayment(source, action.token, action.kind === "spent-elsewhere")];
    }),
  );
}

/** Starts the daemon, lets buyers, mint and relays do as planned, and kills it. */
export async function playRound(
  market: ChaosMarket,
  crowd: Crowd,
  plan: RoundPlan,
  tokens: RoundTokens,
): Promise<Death> {
  const { operator, way, mint } = market;
  await market.setRelays(atStart(plan.relays));
  way.fault = faultsOf(plan);
  const life = startLife(operator.configPath, killAt(plan.kill));
  const killing = endLife(life, plan.kill);
  await life.listening;
  const listened = !life.isOver();
  if (listened) {
    await market.setRelays(plan.relays);
    if (plan.rotateToFeePpk !== undefined) await mint.ours?.rotate(plan.rotateToFeePpk);
  }
  // What is begun is not waited for: it goes on through the next lives.
  for (const [index, action] of plan.actions.entries()) void play(market, crowd, action, tokens[index] ?? []);
  const { killed } = await killing;
  const { exitCode, signal } = await life.ended;
  const at = life.killedAt() ?? (killed ? (listened ? "running" : "starting") : "by itself");
  const crashed = life.events("crashed").length > 0 || (signal === null && exitCode !== null);
  return {
    at,
    state: stateOf(operator.databasePath),
    problem: crashed ? `the daemon ended by itself (${exitCode}):\n${life.output().slice(-2000)}` : undefined,
  };
}

async function endLife(life: Life, plan: KillPlan): Promise<{ killed: boolean }> {
  if (plan.kind === "at-boundary") {
    await Promise.race([life.ended, within(life.listening, LISTENING_WITHIN_MS)]);
    const isLate = plan.name === "address-released";
    await Promise.race([life.ended, sleep(isLate ? LATE_BOUNDARY_WITHIN_MS : BOUNDARY_WITHIN_MS)]);
  } else {
    if (plan.after === "listening") await within(life.listening, LISTENING_WITHIN_MS);
    await Promise.race([life.ended, sleep(plan.delayMs)]);
  }
  const killed = !life.isOver();
  life.kill();
  return { killed };
}

async function play(
  market: ChaosMarket,
  crowd: Crowd,
  action: ActionPlan,
  [payment, other]: Payment[],
): Promise<void> {
  await sleep(action.atMs);
  const { ours } = market.mint;
  if (crowd.waiting() >= MOST_WAITING) return;
  switch (action.kind) {
    case "repeat":
    case "move": {
      const person = choose(crowd, action.who, (one) => one.asking === 0 && one.moves < 4);
      if (person) await (action.kind === "move" ? crowd.move(person) : crowd.repeat(person));
      return;
    }
    case "renew": {
      // A move is over before its buyer buys again.
      const person = choose(crowd, action.who, (one) => one.asking === 0) ?? crowd.newcomer();
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
  const served = crowd.people.filter((person) => person.granted.length > 0 && fits(person));
  return served[Math.floor(who * served.length)];
}

function killAt(kill: KillPlan): string | undefined {
  return kill.kind === "at-boundary" ? `${kill.name}:${kill.nth}` : undefined;
}

function atStart([first, second]: RoundPlan["relays"]): RoundPlan["relays"] {
  return [first === "away" ? "away" : "well", second === "away" ? "away" : "well"];
}

function faultsOf(plan: RoundPlan): FaultyWay["fault"] {
  const take = (faults: (WayFault | undefined)[]) => {
    const left = [...faults];
    return () => left.shift();
  };
  const swap = take(plan.swapFaults);
  const look = take(plan.lookFaults);
  const keyset = take(plan.keysetFaults);
  return (path) => {
    if (path === "/v1/swap") return swap();
    if (path === "/v1/restore" || path === "/v1/checkstate") return look();
    return path.startsWith("/v1/key") ? keyset() : undefined;
  };
}

function stateOf(databasePath: string): Death["state"] {
  try {
    const { swapping, paid, owed, walletWaiting } = readUnfinished(databasePath);
    if (paid > 0) return "paid";
    if (swapping > 0) return "swapping";
    if (owed > 0) return "owed";
    return walletWaiting > 0 ? "wallet waiting" : "at rest";
  } catch {
    // Killed before there was a book.
    return "at rest";
  }
}

async function within(what: Promise<void>, ms: number): Promise<void> {
  await Promise.race([what, sleep(ms)]);
}
