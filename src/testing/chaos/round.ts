import { setTimeout as sleep } from "node:timers/promises";
import type { BoundaryName } from "../../boundary.ts";
import { play, type RoundTokens } from "./actions.ts";
import { readUnfinished } from "./book-reader.ts";
import type { Crowd } from "./crowd.ts";
import type { ChaosMarket } from "./market.ts";
import { type Ending, type Life, startLife } from "./mortal-daemon.ts";
import type { Pace } from "./pace.ts";
import type { KillPlan, RoundPlan } from "./plan.ts";
import { nodeFaultsOf, wayFaultsOf } from "./round-faults.ts";
import { until } from "./until.ts";

/** How one life of the daemon ended. */
export interface Death {
  /** A boundary, `starting`, `running`, or `by itself`. */
  at: string;
  /** What was not at rest; of several, the first of these. */
  state: "paid" | "swapping" | "owed" | "wallet waiting" | "invoiced" | "at rest";
  /** Something that no daemon may do: nobody wants another life of this one. */
  problem: string | undefined;
}

/** Mints and relays that fail hold a start up for a quarter of it. */
const LISTENING_WITHIN_MS = 60_000;
/** A boundary that is not reached by then is not reached in this round. On an idle machine, as the next ones. */
const BOUNDARY_WITHIN_MS = 1_200;
/** For those that a sale comes to only after it was open for longer than an address is held, or an invoice lives. */
const LATE_BOUNDARY_WITHIN_MS = 3_500;
const LATE_BOUNDARIES = new Set<BoundaryName>(["address-released", "within-lapsed"]);
/** In a calm life so few wait for their answer at last; or it has lasted so long. */
const CALM_WAITING = 2;
const CALM_WITHIN_MS = 3_000;
/** Characters of the log, for whoever looks into it. */
const LAST_WORDS = 3_000;

/** Starts the daemon, lets buyers, mint and relays do as planned, and kills it. */
export async function playRound(
  market: ChaosMarket,
  crowd: Crowd,
  plan: RoundPlan,
  tokens: RoundTokens,
): Promise<Death> {
  const { operator, way, node, mint, pace } = market;
  const { kill } = plan;
  await market.setRelays(atStart(plan.relays));
  way.fault = wayFaultsOf(plan);
  node.fault = nodeFaultsOf(plan, market.nodePlan);
  await (plan.node.standing === "away" ? node.down() : node.up());
  const startedMs = performance.now();
  const life = startLife(operator.configPath, killAt(kill));
  if (kill.kind === "at-random" && kill.after === "start")
    void sleep(pace.stretched(kill.delayMs)).then(life.kill);
  await Promise.race([life.listening, sleep(LISTENING_WITHIN_MS, undefined, { ref: false })]);
  if (life.hasListened()) pace.started(performance.now() - startedMs);
  if (!life.isOver()) await letBuyersIn(market, crowd, plan, life);
  // What is begun is not waited for: it goes on through the next lives.
  let acting = plan.actions.length;
  for (const [index, action] of plan.actions.entries()) {
    void play(mint.ours, crowd, action, tokens[index] ?? []).finally(() => acting--);
  }
  const isQuiet = () =>
    acting === 0 && crowd.waiting() === 0 && isAtRest(stateOf(operator.databasePath), kill);
  if (life.hasListened()) await toItsEnd(life, kill, pace, isQuiet);
  const isLate = !life.hasListened() && !life.isOver();
  life.kill();
  const ending = await life.ended;
  crowd.daemonDied();
  const killedAt = life.killedAt() ?? (life.wasKilled() ? whileIn(life) : undefined);
  const wrong = isLate
    ? `did not come up within ${LISTENING_WITHIN_MS} ms`
    : wrongdoing(life, killedAt, ending);
  return {
    at: killedAt ?? "by itself",
    state: stateOf(operator.databasePath),
    problem: wrong && `the daemon ${wrong}:\n${life.output().slice(-LAST_WORDS)}`,
  };
}

async function letBuyersIn(market: ChaosMarket, crowd: Crowd, plan: RoundPlan, life: Life): Promise<void> {
  const { node, pace } = market;
  await market.setRelays(plan.relays);
  if (plan.node.standing === "down") await node.down();
  if (plan.node.breaksAfterMs !== undefined)
    void sleep(pace.stretched(plan.node.breaksAfterMs)).then(node.breakStreams);
  if (plan.rotateToFeePpk !== undefined) await market.mint.ours?.rotate(plan.rotateToFeePpk);
  crowd.heardAgain();
  if (plan.kill.kind !== "at-random" || plan.kill.after !== "calm") return;
  await until(() => life.isOver() || crowd.waiting() <= CALM_WAITING, pace.stretched(CALM_WITHIN_MS));
}

/** Until the daemon is dead, or it is time to kill it. */
async function toItsEnd(life: Life, kill: KillPlan, pace: Pace, isQuiet: () => boolean): Promise<void> {
  if (kill.kind === "at-boundary") {
    const withinMs = LATE_BOUNDARIES.has(kill.name) ? LATE_BOUNDARY_WITHIN_MS : BOUNDARY_WITHIN_MS;
    await until(() => life.isOver() || isQuiet(), pace.stretched(withinMs));
  } else if (kill.after === "start") {
    await life.ended;
  } else {
    await Promise.race([life.ended, sleep(pace.stretched(kill.delayMs))]);
  }
}

function wrongdoing(life: Life, killedAt: string | undefined, ending: Ending): string | undefined {
  if (life.events("crashed").length > 0) return "crashed";
  if (life.events("books-differ").length > 0) return "says that its books do not balance";
  return killedAt === undefined
    ? `ended by itself (${ending.signal ?? `exit code ${ending.exitCode}`})`
    : undefined;
}

function whileIn(life: Life): string {
  return life.hasListened() ? "running" : "starting";
}

function killAt(kill: KillPlan): string | undefined {
  return kill.kind === "at-boundary" ? `${kill.name}:${kill.nth}` : undefined;
}

function atStart([first, second]: RoundPlan["relays"]): RoundPlan["relays"] {
  return [first === "away" ? "away" : "well", second === "away" ? "away" : "well"];
}

/** What may still be paid holds up nothing, unless its end is what is waited for. */
function isAtRest(state: Death["state"], kill: KillPlan): boolean {
  const waitsForEnd = kill.kind === "at-boundary" && kill.name === "within-lapsed";
  return state === "at rest" || (state === "invoiced" && !waitsForEnd);
}

function stateOf(databasePath: string): Death["state"] {
  const { swapping, paid, owed, invoices, walletWaiting } = readUnfinished(databasePath);
  if (paid > 0) return "paid";
  if (swapping > 0) return "swapping";
  if (owed > 0) return "owed";
  if (walletWaiting > 0) return "wallet waiting";
  return invoices > 0 ? "invoiced" : "at rest";
}
