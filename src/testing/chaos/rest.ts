import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { yOf } from "../mint-ledger.ts";
import { readBook, readUnfinished } from "./book-reader.ts";
import type { Crowd } from "./crowd.ts";
import type { Evidence } from "./evidence.ts";
import type { ChaosMarket } from "./market.ts";
import { coinStates, inputFees, spendAll } from "./mint-record.ts";
import { type Life, startLife } from "./mortal-daemon.ts";
import { until } from "./until.ts";
import { readWalletProofs } from "./wallet-reader.ts";

const START_WITHIN_MS = 60_000;
const REST_WITHIN_MS = 120_000;
/** The outbox asks a relay that failed it again after up to 600 s. */
const WALLET_WITHIN_MS = 660_000;

/**
 * No more faults: every buyer gets his answer, every sale comes to rest, every proof reaches a relay. Then all is read
 * that can be seen from outside. Throws when the daemon does not come up.
 */
export async function bringToRest(
  market: ChaosMarket,
  crowd: Crowd,
  say: (line: string) => void,
): Promise<Evidence> {
  const { way, operator } = market;
  way.heal();
  await market.setRelays(["well", "well"]);
  makeRoom(market, crowd);
  const life = await startForGood(operator.configPath);
  crowd.heardAgain();
  await until(() => crowd.pursuits.every(({ outcome }) => outcome !== undefined), REST_WITHIN_MS);
  await crowd.giveUp();
  await until(() => {
    const { swapping, paid, owed } = readUnfinished(operator.databasePath);
    return swapping + paid + owed === 0;
  }, REST_WITHIN_MS);
  say("every sale has come to rest; each buyer asks once more");
  await askAllOnceMore(crowd);
  await until(() => readUnfinished(operator.databasePath).walletWaiting === 0, WALLET_WITHIN_MS);
  await end(life);

  // A daemon that has never seen the interface puts every peer on it.
  const next = await startForGood(operator.configPath);
  const peers = next.events("reconciled").reduce((added, record) => added + Number(record.added), 0);
  await end(next);
  await way.idle();

  say("the mint, the relays and the book are read");
  return readEvidence(market, crowd, peers);
}

/** For everybody who may still be granted a tunnel. */
function makeRoom(market: ChaosMarket, crowd: Crowd): void {
  const wanted = readUnfinished(market.operator.databasePath).liveSessions + crowd.pursuits.length;
  for (let room = 0; room < market.room() && market.room() < wanted; ) {
    room = market.room();
    market.widen();
  }
}

async function askAllOnceMore(crowd: Crowd): Promise<void> {
  for (const person of crowd.people) {
    if (person.granted.length === 0) continue;
    const answer = await crowd.repeat(person);
    if (answer?.status !== 200)
      crowd.problems.push(`a repeated request was answered ${answer?.status ?? "not at all"}`);
  }
}

async function readEvidence(market: ChaosMarket, crowd: Crowd, peers: number): Promise<Evidence> {
  const { mint, relays, operator } = market;
  const proofs = await readWalletProofs(
    relays.map(({ url }) => url),
    operator.nsecHex,
  );
  const wallet = proofs.map(({ secret, amount }) => ({ secret, amountSat: amount, y: yOf(secret) }));
  const coins = crowd.pursuits.flatMap(({ payment }) => payment.coins.map(({ y }) => y));
  const states = await coinStates(mint.url, [...coins, ...wallet.map(({ y }) => y)]);
  const fees = await inputFees(mint.url);
  const walletWorthSat = await spendAll(mint.url, proofs);
  return { crowd, book: readBook(operator.databasePath), states, fees, wallet, walletWorthSat, peers };
}

async function startForGood(configPath: string): Promise<Life> {
  const life = startLife(configPath, undefined);
  await Promise.race([life.listening, sleep(START_WITHIN_MS, undefined, { ref: false })]);
  if (life.isOver() || !life.hasListened()) {
    life.kill();
    const folder = dirname(configPath);
    throw new Error(
      `the daemon did not come up after the chaos, see ${folder}:\n${life.output().slice(-3000)}`,
    );
  }
  return life;
}

async function end(life: Life): Promise<void> {
  life.terminate();
  await life.ended;
}
