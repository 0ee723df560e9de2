import { statSync } from "node:fs";
import Database from "better-sqlite3";
import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { BooksReport } from "../books/report.ts";
import { systemClock } from "../clock.ts";
import { connectRelays } from "../nostr/relays.ts";
import { createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { createWalletCodec } from "../wallet/codec.ts";
import type { Republished } from "../wallet/republish.ts";
import { readWalletView, satByMintIn } from "../wallet/wallet-view.ts";

const DAY = { amount: 100, currency: "sat", unit: "day" } as const;

let relay: TestRelay;
let mint: TestMint;
let operator: Operator;

beforeEach(async () => {
  relay = await startRelay();
  mint = await startMint({ feePpk: 100 });
  operator = await createOperator({ relays: [relay.url], mints: [mint.url] });
  await operator.start();
});

afterEach(async () => {
  await operator.destroy();
  await mint.stop();
  await relay.stop();
});

async function sell(count: number): Promise<void> {
  for (let sold = 0; sold < count; sold++) {
    const { token } = await mintToken({
      mintUrl: mint.url,
      amountSat: DAY.amount,
      lock: { pubkey: operator.p2pk },
    });
    const { url, publicHost, pubkey: operatorPubkey, dTag } = operator;
    const answer = await createBuyer().purchase({ url, publicHost, operatorPubkey, dTag, price: DAY, token });
    expect(answer.status).toBe(200);
  }
}

async function allToldToTheRelays(): Promise<void> {
  const wallet = async () => {
    const health = await fetch(`${operator.url}/health`);
    return ((await health.json()) as { wallet: string }).wallet;
  };
  await expect.poll(wallet, { timeout: 10_000 }).toBe("ok");
}

async function books(): Promise<{ exitCode: number; report: BooksReport }> {
  const { exitCode, stdout, stderr } = await operator.command(["books", "--json"]);
  expect(stderr).toBe("");
  return { exitCode, report: JSON.parse(stdout) as BooksReport };
}

/** A NIP-60 client that never saw the book: only the key and a relay. */
async function readFresh(from: TestRelay): Promise<Record<string, number>> {
  const secretKey = Uint8Array.from(Buffer.from(operator.nsecHex, "hex"));
  const logger = pino({ level: "silent" });
  const relays = await connectRelays({ urls: [from.url], secretKey, clock: systemClock, logger });
  const view = await readWalletView(relays, createWalletCodec(secretKey), operator.pubkey, 3000);
  relays.close();
  expect(view.wallets).toHaveLength(1);
  return Object.fromEntries(satByMintIn(view));
}

it("five sales: the books balance, in words and as JSON, and the wallet elsewhere says the same", async () => {
  await sell(5);
  await allToldToTheRelays();
  const { exitCode, report } = await books();
  expect(report.differences).toEqual([]);
  expect(exitCode).toBe(0);
  const { paidSat, feeSat, walletSat, proofSat } = report.total;
  expect(report).toMatchObject({
    balanced: true,
    payments: { sales: 5, granted: 5, owed: 0 },
    tunnels: { live: 5, up: 5 },
    open: [],
    unknown: [],
  });
  expect(report.mints).toMatchObject([{ mintUrl: mint.url, paidSat: 500 }]);
  expect([paidSat, walletSat]).toEqual([500, 500 - feeSat]);
  expect(feeSat).toBeGreaterThan(0);
  expect(proofSat).toBe(walletSat);
  expect(await readFresh(relay)).toEqual({ [mint.url]: walletSat });

  const inWords = await operator.command(["books"]);
  expect(inWords.exitCode).toBe(0);
  expect(inWords.stdout).toMatch(/paid sales: 5, granted 5, owed 0\nlive sessions: 5, 5 on the interface/);
  expect(inWords.stdout).toMatch(/The books balance\.\n$/);
  expect(operator.events("books-balanced").length).toBeGreaterThanOrEqual(2);
  expect(operator.events("wallet-compared").at(-1)).toMatchObject({ outbox: 0, unknown: 0, returned: 0 });
});

it("a proof that the book lost: exit code 1, the sale is named, and the log names it too", async () => {
  await sell(2);
  await allToldToTheRelays();
  await operator.stop();
  const book = new Database(operator.databasePath);
  const { y, saleId } = book.prepare("SELECT y, sale_id AS saleId FROM proofs LIMIT 1").get() as {
    y: string;
    saleId: string;
  };
  book.prepare("DELETE FROM proofs WHERE y = ?").run(y);
  book.close();
  await operator.start();
  const { exitCode, report } = await books();
  expect(exitCode).toBe(1);
  expect(report.balanced).toBe(false);
  expect(report.differences).toMatchObject([{ saleId, what: expect.stringMatching(/\d+ sat came in/) }]);
  expect((await operator.command(["books"])).stdout).toContain(`differs: sale ${saleId}: `);
  expect(operator.events("books-differ").at(-1)).toMatchObject({ differences: [{ saleId }] });
});

it("a relay that lost everything under the running daemon: republish fills it", async () => {
  await sell(3);
  await allToldToTheRelays();
  const before = await readFresh(relay);
  const port = Number(new URL(relay.url).port);
  await relay.stop();
  expect((await books()).exitCode).toBe(2);
  relay = await startRelay({ port });
  expect(relay.events()).toEqual([]);
  await expect
    .poll(async () => ((await (await fetch(`${operator.url}/health`)).json()) as Health).relays.connected, {
      timeout: 20_000,
    })
    .toBe(1);
  const { exitCode, stdout } = await operator.command(["wallet", "republish", "--json"], 60_000);
  expect(JSON.parse(stdout) as Republished).toMatchObject({ complete: true, unknownEvents: 0 });
  expect(exitCode).toBe(0);
  expect(await readFresh(relay)).toEqual(before);
  expect((await books()).exitCode).toBe(0);
}, 90_000);

interface Health {
  relays: { connected: number };
}

it("a relay that is new beside the former: it is empty until republish fills it", async () => {
  await sell(2);
  await allToldToTheRelays();
  const before = await readFresh(relay);
  const added = await startRelay();
  await operator.stop();
  operator.writeConfig({ relays: [relay.url, added.url] });
  await operator.start();
  expect((await books()).exitCode).toBe(0);
  const { exitCode, stdout } = await operator.command(["wallet", "republish"], 60_000);
  expect(stdout).toMatch(/Every relay holds the whole wallet\.\n$/);
  expect(exitCode).toBe(0);
  await operator.stop();
  expect(await readFresh(added)).toEqual(before);
  await added.stop();
}, 60_000);

it("the mint and the relay are silent: unknown, exit code 2, and the tunnels are told all the same", async () => {
  await sell(1);
  await allToldToTheRelays();
  await relay.stop();
  await mint.stop();
  const { exitCode, report } = await books();
  expect(exitCode).toBe(2);
  expect(report).toMatchObject({ balanced: "unknown", differences: [], tunnels: { live: 1, up: 1 } });
  expect(report.unknown[0]).toContain(mint.url);
  expect(report.total.unknownSat).toBe(report.total.proofSat);
  await relay.start();
  await mint.start();
});

it("the socket is its owner's alone; a killed daemon's is replaced; with no daemon it is 69", async () => {
  const socket = `${operator.databasePath}.sock`;
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  await operator.kill();
  expect(statSync(socket).isSocket()).toBe(true);
  for (const command of [["books"], ["books", "--json"], ["wallet", "republish"]]) {
    const { exitCode, stdout, stderr } = await operator.command(command);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: "" });
    expect(stderr).toMatch(/^no daemon answers at .*\.sock: is it running/);
  }
  await operator.start();
  expect((await books()).exitCode).toBe(0);
  await operator.stop();
  expect(statSync(socket, { throwIfNoEntry: false })).toBeUndefined();
  expect((await operator.command(["books"])).exitCode).toBe(69);
});

it.each([[["wallet"]], [["wallet", "burn"]], [["books", "all"]]])("%j is no command", async (args) => {
  const { exitCode, stderr } = await operator.command(args);
  expect(exitCode).toBe(64);
  expect(stderr).toContain(args.at(-1));
});
