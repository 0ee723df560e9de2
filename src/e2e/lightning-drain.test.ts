import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { type Answer, type Buyer, createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { eventually } from "../testing/eventually.ts";
import { startPhoenixdServer } from "../testing/lightning/phoenixd-server.ts";
import { startMint } from "../testing/mint.ts";
import { createOperator } from "../testing/operator.ts";
import { startRelay } from "../testing/relay.ts";
import { requestFromWallet, type WalletInvoice, WalletRefused } from "../testing/wallet.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";

/** A pool of six: what a /28 has, less seven that are sold. */
const SUBNET = "10.66.42.0/28";
const SOLD = 7;
const STRANGERS = 10_000;
const STRANGERS_AT_ONCE = 50;
/** An invoice's time and its grace. */
const EXPIRY_SECONDS = 32;
const DAY = { amount: 100, currency: "sat", unit: "day" } as const;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openMarket() {
  const relay = await startRelay();
  closing.push(() => relay.stop());
  const mint = await startMint();
  closing.push(() => mint.stop());
  const node = await startPhoenixdServer({ password: "a password" });
  closing.push(() => node.close());
  const operator = await createOperator({
    relays: [relay.url],
    mints: [mint.url],
    subnet: SUBNET,
    lightning: {
      backend: "phoenixd",
      baseUrl: node.url,
      apiToken: "a password",
      invoiceSeconds: EXPIRY_SECONDS - 2,
      invoiceGraceSeconds: 2,
    },
    logLevel: "info",
  });
  closing.push(() => operator.destroy());
  await operator.start();

  async function buyWithEcash(buyer: Buyer = createBuyer()): Promise<Answer> {
    const lock = { pubkey: operator.p2pk };
    const { token } = await mintToken({ mintUrl: mint.url, amountSat: DAY.amount, lock });
    const { url, publicHost, dTag, pubkey: operatorPubkey } = operator;
    return buyer.purchase({ url, publicHost, dTag, operatorPubkey, price: DAY, token });
  }

  /** One client's request for an invoice that he will not pay. */
  async function strangerAsks(number: number): Promise<number> {
    const query = new URLSearchParams({ p: "day", amount: "100000" });
    query.set("comment", generateWireguardKeys().publicKey);
    const client = `203.0.${113 + (number >> 8)}.${number & 255}`;
    const response = await fetch(`${operator.url}/lnurlp/callback?${query}`, {
      headers: { "x-forwarded-for": client },
    });
    await response.arrayBuffer();
    return response.status;
  }

  return { node, operator, buyWithEcash, strangerAsks };
}

async function inParallel(count: number, atOnce: number, run: (number: number) => Promise<void>) {
  let next = 0;
  const worker = async () => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

it("10,000 strangers ask for invoices, and every buyer who pays has his tunnel", {
  timeout: 300_000,
}, async () => {
  const { node, operator, buyWithEcash, strangerAsks } = await openMarket();
  for (let sold = 0; sold < SOLD; sold++) expect((await buyWithEcash()).status).toBe(200);

  const answers = new Map<number, number>();
  await inParallel(STRANGERS, STRANGERS_AT_ONCE, async (number) => {
    const status = await strangerAsks(number);
    answers.set(status, (answers.get(status) ?? 0) + 1);
  });
  expect([...answers.keys()].sort()).toEqual([200, 429]);
  expect(answers.get(429)).toBeGreaterThan(STRANGERS / 2);

  for (let buyer = 0; buyer < 3; buyer++) expect((await buyWithEcash()).status).toBe(200);

  const deadline = Date.now() + EXPIRY_SECONDS * 1000 * 3;
  const askUntilServed = async (): Promise<WalletInvoice> => {
    for (;;) {
      const { publicKey } = createBuyer().wireguard;
      const asked = requestFromWallet(`${operator.url}/lnurlp?p=day`, DAY.amount, publicKey);
      const invoice = await asked.catch((error: unknown) => error);
      if (!(invoice instanceof Error)) return invoice as WalletInvoice;
      if (!(invoice instanceof WalletRefused) || invoice.status !== 429 || Date.now() > deadline)
        throw invoice;
      await sleep(500);
    }
  };
  for (let buyer = 0; buyer < 3; buyer++) {
    const invoice = await askUntilServed();
    node.pay(invoice.paymentHash);
    const preimage = await invoice.waitUntilSettled();
    await eventually(async () => {
      const claimed = await fetch(`${operator.url}/lnurlp/config/${invoice.paymentHash}`, {
        headers: { authorization: `Preimage ${preimage}` },
      });
      return claimed.status === 200;
    });
  }
  expect((await buyWithEcash()).body.reason).toBe("no-ip-available");
});
