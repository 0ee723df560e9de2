import { yOf } from "../mint-ledger.ts";
import { readBook, readUnfinished } from "./book-reader.ts";
import type { Crowd } from "./crowd.ts";
import type { Evidence } from "./evidence.ts";
import { end, startForGood } from "./good-life.ts";
import { askAllOnceMore } from "./last-questions.ts";
import { createLightningRequests } from "./lightning-requests.ts";
import type { ChaosMarket } from "./market.ts";
import { coinStates, inputFees, spendAll } from "./mint-record.ts";
import { NO_TROUBLE } from "./plan-node.ts";
import { nodeFaultsOf } from "./round-faults.ts";
import { until } from "./until.ts";
import { readWalletProofs } from "./wallet-reader.ts";

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
  const { way, node, nodePlan, operator } = market;
  way.heal();
  node.fault = nodeFaultsOf({ node: NO_TROUBLE }, nodePlan);
  await node.up();
  await market.setRelays(["well", "well"]);
  makeRoom(market, crowd);
  const life = await startForGood(operator.configPath);
  crowd.heardAgain();
  crowd.payers.noMoreDeaths();
  await until(() => crowd.waiting() === 0 && crowd.payers.aboutToPay() === 0, REST_WITHIN_MS);
  await crowd.giveUp();
  // Every payment was heard of by then. That an invoice is unpaid is only known where it can be looked up.
  node.fault = undefined;
  await until(() => {
    const { swapping, paid, owed, invoices } = readUnfinished(operator.databasePath);
    return swapping + paid + owed + invoices === 0;
  }, REST_WITHIN_MS);
  say("every sale has come to rest; each buyer asks once more");
  const preimages = new Map(node.invoices().map(({ paymentHash, preimage }) => [paymentHash, preimage]));
  await askAllOnceMore({ crowd, requests: createLightningRequests(operator), preimages });
  await until(() => readUnfinished(operator.databasePath).walletWaiting === 0, WALLET_WITHIN_MS);
  await end(life);

  // A daemon that has never seen the interface puts every peer on it.
  const next = await startForGood(operator.configPath);
  const peers = next.events("reconciled").reduce((added, record) => added + Number(record.added), 0);
  await end(next);
  await way.idle();

  say("the mint, the node, the relays and the book are read");
  return readEvidence(market, crowd, peers);
}

/** For everybody who may still be granted a tunnel. */
function makeRoom(market: ChaosMarket, { pursuits, payers }: Crowd): void {
  const { liveSessions } = readUnfinished(market.operator.databasePath);
  const wanted = liveSessions + pursuits.length + payers.bills.length;
  for (let room = 0; room < market.room() && market.room() < wanted; ) {
    room = market.room();
    market.widen();
  }
}

async function readEvidence(market: ChaosMarket, crowd: Crowd, peers: number): Promise<Evidence> {
  const { mint, node, relays, operator } = market;
  const proofs = await readWalletProofs(
    relays.map(({ url }) => url),
    operator.nsecHex,
  );
  const wallet = proofs.map(({ secret, amount }) => ({ secret, amountSat: amount, y: yOf(secret) }));
  const coins = crowd.pursuits.flatMap(({ payment }) => payment.coins.map(({ y }) => y));
  const states = await coinStates(mint.url, [...coins, ...wallet.map(({ y }) => y)]);
  const fees = await inputFees(mint.url);
  const walletWorthSat = await spendAll(mint.url, proofs);
  const book = readBook(operator.databasePath);
  return { crowd, book, invoices: node.invoices(), states, fees, wallet, walletWorthSat, peers };
}
