import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createMints, type Mints } from "../../cashu/mints.ts";
import { createBuyer } from "../buyer.ts";
import { createOperator, type Operator } from "../operator.ts";
import { startRelay } from "../relay.ts";
import { aYear, fillBook, WIDE_SUBNET } from "./fill-book.ts";
import { createLeanClient, type LeanClient } from "./lean-client.ts";
import { mintLockedTokens } from "./tokens.ts";

const PEERS_IN_BOOK = 5_000;

const PRICE = { amount: 100, unit: "day" as const };
/** As the daemon does: older keysets are no ground to swap on. */
const REFRESH_MS = 20_000;
const REPEAT_MS = 50;
const START_MS = 120_000;

/** A daemon that sells, and beside it whoever swaps the same tokens at the same mint with the same code. */
export interface SaleMarket {
  operator: Operator;
  /** Of each kind, to be used once. */
  prepare(count: number): Promise<{ sales: (() => Promise<void>)[]; swaps: (() => Promise<void>)[] }>;
  close(): Promise<void>;
}

export async function openSaleMarket(mintUrl: string): Promise<SaleMarket> {
  const relay = await startRelay();
  const operator = await createOperator({
    relays: [relay.url],
    mints: [mintUrl],
    prices: [PRICE],
    subnet: WIDE_SUBNET,
    tickSeconds: 10,
    logLevel: "info",
  });
  const client = createLeanClient();
  let refreshing: NodeJS.Timeout | undefined;
  const close = async () => {
    clearInterval(refreshing);
    client.close();
    await operator.destroy();
    await relay.stop();
  };
  try {
    fillBook(operator.databasePath, PEERS_IN_BOOK, () => aYear);
    await operator.start({ timeoutMs: START_MS, args: ["--create-wallet"] });
    const mints = createMints({
      mintUrls: [mintUrl],
      privkeyHex: operator.p2pkPrivkeyHex,
      pubkeyHex: operator.p2pk,
      maxFeeSat: 10,
      clock: { now: () => Math.floor(Date.now() / 1000) },
    });
    await mints.refresh();
    refreshing = setInterval(() => void mints.refresh(), REFRESH_MS);
    return {
      operator,
      async prepare(count) {
        const tokens = await mintLockedTokens(mintUrl, 2 * count, operator.p2pk);
        return {
          sales: tokens.slice(0, count).map((token) => saleOf(client, operator, token)),
          swaps: tokens.slice(count).map((token) => () => bareSwap(mints, token)),
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the daemon does with a token, without a daemon: read, checked, signed, blinded, swapped, checked, unblinded. */
async function bareSwap(mints: Mints, text: string): Promise<void> {
  const token = mints.reader.decode(text);
  const journal = await mints.find(token.mintKey)?.prepareSwap(token);
  if (!journal) throw new Error("the token is from another mint");
  const { kind } = await mints.link.swap(journal);
  if (kind !== "signed") throw new Error(`the bare swap was ${kind}`);
}

/** One buyer's request, made and signed beforehand; repeated while he is told to come again. */
function saleOf(client: LeanClient, operator: Operator, token: string): () => Promise<void> {
  const buyer = createBuyer();
  const { url, publicHost, pubkey, dTag } = operator;
  const price = { ...PRICE, currency: "sat" };
  const order = { url, publicHost, operatorPubkey: pubkey, dTag, price, token, expiresInSeconds: 3_600 };
  const headers = {
    "content-type": "application/json",
    authorization: buyer.authorization(order),
    "x-cashu": token,
  };
  const body = JSON.stringify({ protocol: "wireguard", client_pubkey: buyer.wireguard.publicKey });
  return async () => {
    for (;;) {
      const answer = await client.post(`${url}/purchase`, { ...headers, ...strangersAddress() }, body);
      if (answer.status === 200) return;
      if (answer.status !== 503) throw new Error(`a sale was answered ${answer.status} ${answer.text}`);
      await sleep(REPEAT_MS);
    }
  };
}

/** A new one for each request: what one address may ask is not what is measured. */
function strangersAddress(): Record<string, string> {
  return { "x-forwarded-for": [10, randomInt(256), randomInt(256), randomInt(256)].join(".") };
}
