import { setTimeout as sleep } from "node:timers/promises";
import { yOf } from "../mint-ledger.ts";
import { readBook, readUnfinished } from "./book-reader.ts";
import { type Crowd, createCrowd } from "./crowd.ts";
import { type ChaosMarket, openMarket } from "./market.ts";
import { coinStates, inputFees, spendAll } from "./mint-record.ts";
import { type Life, startLife } from "./mortal-daemon.ts";
import { planRound } from "./plan.ts";
import { type Death, playRound, prepareTokens } from "./round.ts";
import { judge, type Verdict } from "./verdict.ts";
import { readWalletProofs } from "./wallet-reader.ts";

export interface ChaosOptions {
  kills: number;
  seed: number;
  /** Any running mint; ours when left out. */
  mintUrl?: string;
  /** After each kill. */
  onDeath?: (death: Death, kills: number, crowd: Crowd) => void;
  say?: (line: string) => void;
}

export interface ChaosResult extends Verdict {
  deaths: Death[];
  answers: ReadonlyMap<string, number>;
  /** The operator's folder, kept when something is wrong. */
  folder: string | undefined;
}

const START_WITHIN_MS = 60_000;
const REST_WITHIN_MS = 120_000;
/** The outbox asks a relay that failed it again after up to 600 s. */
const WALLET_WITHIN_MS = 660_000;
/** So many rounds with an empty pool, then the operator makes it wider. */
const FULL_ROUNDS = 5;

/** Kills the daemon so many times, brings everything to rest, and judges it from outside. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { say = () => {} } = options;
  const market = await openMarket(options.seed, options.mintUrl);
  let isClean = false;
  try {
    const crowd = createCrowd(market.operator);
    const deaths = await killAgainAndAgain(market, crowd, options);
    const verdict = await bringToRestAndJudge(market, crowd, say);
    verdict.problems.unshift(...deaths.flatMap(({ problem }) => problem ?? []));
    isClean = verdict.problems.length === 0;
    const folder = isClean ? undefined : market.operator.folder;
    return { ...verdict, deaths, answers: crowd.answers, folder };
  } finally {
    await market.close(!isClean);
  }
}

async function killAgainAndAgain(market: ChaosMarket, crowd: Crowd, options: ChaosOptions): Promise<Death[]> {
  const { seed, kills, onDeath } = options;
  const { mint, way, operator } = market;
  const source = { mintUrl: mint.url, listedUrl: way.url, operatorPubkey: operator.p2pk };
  const deaths: Death[] = [];
  let fullRounds = 0;
  let plan = planRound(seed, 1);
  let tokens = prepareTokens(source, plan);
  for (let round = 1; deaths.length < kills; round++) {
    const death = playRound(market, crowd, plan, await tokens);
    plan = planRound(seed, round + 1);
    tokens = prepareTokens(source, plan);
    const died = await death;
    deaths.push(died);
    fullRounds = isFull(market) ? fullRounds + 1 : 0;
    if (fullRounds >= FULL_ROUNDS) {
      market.widen();
      fullRounds = 0;
    }
    onDeath?.(died, deaths.length, crowd);
    if (died.problem !== undefined) break;
  }
  await tokens;
  return deaths;
}

function isFull(market: ChaosMarket): boolean {
  try {
    return readUnfinished(market.operator.databasePath).liveSessions >= market.room();
  } catch {
    // Killed before there was a book.
    return false;
  }
}

/** No more faults: every buyer gets his answer, every sale comes to rest, every proof reaches a relay. */
async function bringToRestAndJudge(
  market: ChaosMarket,
  crowd: Crowd,
  say: (line: string) => void,
): Promise<Verdict> {
  const { mint, way, relays, operator } = market;
  way.heal();
  await market.setRelays(["well", "well"]);
  while (market.room() < readUnfinished(operator.databasePath).liveSessions + crowd.pursuits.length) {
    if (!widened(market)) break;
  }
  const life = await startForGood(operator.configPath);
  const known = () => crowd.pursuits.every(({ outcome }) => outcome !== undefined);
  await until(known, REST_WITHIN_MS);
  await crowd.giveUp();
  await until(() => {
    const { swapping, paid, owed } = readUnfinished(operator.databasePath);
    return swapping + paid + owed === 0;
  }, REST_WITHIN_MS);
  say("every sale has come to rest; each buyer asks once more");
  for (const person of crowd.people) {
    if (person.granted.length === 0) continue;
    const answer = await crowd.repeat(person);
    if (answer?.status !== 200)
      crowd.problems.push(`a repeated request was answered ${answer?.status ?? "not at all"}`);
  }
  await until(() => readUnfinished(operator.databasePath).walletWaiting === 0, WALLET_WITHIN_MS);
  await end(life);

  // A daemon that has never seen the interface puts every peer on it.
  const next = await startForGood(operator.configPath);
  const peers = next.events("reconciled").reduce((added, record) => added + Number(record.added), 0);
  await end(next);
  await way.idle();

  say("the mint, the relays and the book are read");
  const book = readBook(operator.databasePath);
  const proofs = await readWalletProofs(
    relays.map(({ url }) => url),
    operator.nsecHex,
  );
  const wallet = proofs.map(({ secret, amount }) => ({ secret, amountSat: amount, y: yOf(secret) }));
  const coins = crowd.pursuits.flatMap(({ payment }) => payment.coins.map(({ y }) => y));
  const states = await coinStates(mint.url, [...coins, ...wallet.map(({ y }) => y)]);
  const fees = await inputFees(mint.url);
  const walletWorthSat = await spendAll(mint.url, proofs);
  return judge({ crowd, book, states, fees, wallet, walletWorthSat, peers });
}

function widened(market: ChaosMarket): boolean {
  const before = market.room();
  market.widen();
  return market.room() > before;
}

async function startForGood(configPath: string): Promise<Life> {
  const life = startLife(configPath, undefined);
  await Promise.race([life.listening, sleep(START_WITHIN_MS, undefined, { ref: false })]);
  if (life.isOver() || life.events("listening").length === 0) {
    life.kill();
    throw new Error(`the daemon did not come up after the chaos:\n${life.output().slice(-3000)}`);
  }
  return life;
}

async function end(life: Life): Promise<void> {
  life.terminate();
  await life.ended;
}

/** What is not so by then shows in the verdict. */
async function until(holds: () => boolean, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds() && Date.now() < deadline) await sleep(200);
}
