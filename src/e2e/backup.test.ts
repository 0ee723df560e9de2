import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { BooksReport } from "../books/report.ts";
import type { RestoreReport } from "../daemon/restore-report.ts";
import type { StatusReport } from "../daemon/status-report.ts";
import { type Answer, type Buyer, createBuyer, findListings } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { type CarefulOperator, createCarefulOperator } from "../testing/lost-disk.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { createWalletCodec } from "../wallet/codec.ts";
import { expectRefused } from "./expectations.ts";

const DAY = { amount: 100, currency: "sat", unit: "day" } as const;

/** What a day brings once the mint has its fee for three proofs, at 100 ppk. */
const NET_SAT = 99;

let relay: TestRelay;
let mint: TestMint;
let operator: Operator;
let careful: CarefulOperator;

beforeEach(async () => {
  relay = await startRelay();
  mint = await startMint({ feePpk: 100 });
  operator = await createOperator({ relays: [relay.url], mints: [mint.url] });
  careful = await createCarefulOperator(operator);
  await operator.start();
});

afterEach(async () => {
  await operator.destroy();
  await mint.stop();
  await relay.stop();
});

interface Purchase {
  buyer: Buyer;
  token: string;
}

async function mintDay(): Promise<string> {
  const lock = { pubkey: operator.p2pk };
  return (await mintToken({ mintUrl: mint.url, amountSat: DAY.amount, lock })).token;
}

function bring({ buyer, token }: Purchase): Promise<Answer> {
  return buyer.purchase(orderAt(operator, DAY, { token }));
}

async function buy(): Promise<Purchase & { config: string }> {
  const purchase = { buyer: createBuyer(), token: await mintDay() };
  const answer = await bring(purchase);
  expect(answer.status).toBe(200);
  return { ...purchase, config: String(answer.body.config) };
}

async function buyMany(count: number): Promise<Awaited<ReturnType<typeof buy>>[]> {
  const bought = [];
  for (let sold = 0; sold < count; sold++) bought.push(await buy());
  return bought;
}

const addressIn = (config: string) => /^Address = (\S+)$/m.exec(config)?.[1];

async function allToldToTheRelays(): Promise<void> {
  const wallet = async () =>
    ((await (await fetch(`${operator.url}/health`)).json()) as { wallet: string }).wallet;
  await expect.poll(wallet, { timeout: 30_000 }).toBe("ok");
}

/** What the wallet's history on the relay says came in. */
async function historySat(): Promise<number> {
  const codec = createWalletCodec(Uint8Array.from(Buffer.from(operator.nsecHex, "hex")));
  let sat = 0;
  for (const event of relay.events()) sat += (await codec.readHistory(event))?.amountSat ?? 0;
  return sat;
}

async function report(): Promise<{ exitCode: number; report: RestoreReport }> {
  const { exitCode, stdout } = await operator.command(["restore", "--report", "--json"], 60_000);
  return { exitCode, report: JSON.parse(stdout) as RestoreReport };
}

async function status(): Promise<StatusReport> {
  return JSON.parse((await operator.command(["status", "--json"], 60_000)).stdout) as StatusReport;
}

async function books(): Promise<BooksReport> {
  return JSON.parse((await operator.command(["books", "--json"], 60_000)).stdout) as BooksReport;
}

it("taken under load and restored elsewhere: books balance, and every tunnel of it is up", {
  timeout: 240_000,
}, async () => {
  for (let sold = 0; sold < 4; sold++) await buy();
  const load = Array.from({ length: 12 }, buy);
  const file = await careful.backUp("backup.age");
  await Promise.all(load);
  await operator.kill();
  careful.loseTheDisk();
  const { written } = await careful.restore(file);
  expect(written).toEqual([operator.databasePath, operator.configPath]);
  for (const path of written) expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(operator.folder, "data")).mode & 0o777).toBe(0o700);
  await operator.start({ timeoutMs: 60_000 });
  const report = await books();
  expect(report).toMatchObject({ balanced: true, differences: [], open: [] });
  expect(report.tunnels.live).toBeGreaterThanOrEqual(4);
  expect(report.tunnels.up).toBe(report.tunnels.live);
  expect(report.payments.granted).toBe(report.tunnels.live);
});

it("a stale one: nothing is granted twice, no address given twice, what was sold since is found or named", {
  timeout: 400_000,
}, async () => {
  const before = await buyMany(3);
  const file = await careful.backUp("stale.age");
  const since = await buyMany(18);
  await allToldToTheRelays();
  // The last two reach no relay; their history does.
  relay.policy = ({ kind }) => (kind === 7375 ? "hang" : "accept");
  since.push(...(await buyMany(2)));
  await expect.poll(historySat, { timeout: 30_000 }).toBe(23 * NET_SAT);
  await operator.kill();
  careful.loseTheDisk();
  relay.policy = () => "accept";
  await careful.restore(file);
  await operator.start({ timeoutMs: 60_000 });

  const first = await report();
  expect(first.report).toMatchObject({
    paused: true,
    sessions: { live: 3, up: 3 },
    openSales: 0,
    silent: [],
  });
  const { soldSat, walletSat, lostSat } = first.report.since;
  expect(soldSat).toBe(20 * NET_SAT);
  expect({ walletSat, lostSat }).toEqual({ walletSat: 18 * NET_SAT, lostSat: 2 * NET_SAT });
  expect(first.exitCode).toBe(2);
  const { listing, restored } = await status();
  expect(listing).toMatchObject({ standing: "paused", pausedBy: "restored" });
  expect(restored).toEqual({ backupAt: first.report.backupAt, startedAt: first.report.startedAt });
  await operator.waitForEvent("restore-report");
  const statuses = async () => (await findListings(relay.url)).map(({ listing }) => listing.status);
  await expect.poll(statuses, { timeout: 30_000 }).toEqual(["sold"]);

  const stranger = { buyer: createBuyer(), token: await mintDay() };
  expectRefused(await bring(stranger), { status: 503, reason: "tunnel-unavailable" });
  for (const purchase of before) {
    const answer = await bring(purchase);
    expect(answer.status).toBe(200);
    expect(answer.body.config).toBe(purchase.config);
  }
  // The pause outlives a restart, and ends by the operator's word alone.
  await operator.stop();
  await operator.start({ timeoutMs: 60_000 });
  expectRefused(await bring(stranger), { status: 503, reason: "tunnel-unavailable" });
  expect((await operator.command(["listing", "resume"], 60_000)).exitCode).toBe(0);
  for (const purchase of since) {
    const answer = await bring(purchase);
    expectRefused(answer, { status: 402, reason: "double-spent" });
    expect(answer.body.message).toMatch(/restored from a backup of .*ask the operator/);
  }
  const strangers = String((await bring(stranger)).body.config);
  const after = [strangers, ...(await buyMany(19)).map(({ config }) => config)];
  const given = after.map(addressIn);
  const held = [...before, ...since].map(({ config }) => addressIn(config));
  expect(given.filter((address) => address === undefined || held.includes(address))).toEqual([]);
  expect(new Set(given).size).toBe(20);
  await allToldToTheRelays();
  expect(await books()).toMatchObject({ balanced: true, tunnels: { live: 23, up: 23 } });
});

it("is made of a daemon that stands still too, and tells what is wrong in words, with an exit code", {
  timeout: 240_000,
}, async () => {
  const { recipient, identityFile } = careful;
  await buy();
  await operator.stop();
  const file = await careful.backUp("still.age");
  const standing = await operator.command(["restore", file, "--identity", identityFile], 60_000);
  expect(standing.exitCode).toBe(1);
  expect(standing.stderr).toMatch(/nothing is overwritten/);
  const again = await operator.command(["backup", "--out", file, "--recipient", recipient], 60_000);
  expect(again.exitCode).toBe(1);
  for (const args of [
    ["backup", "--recipient", "age1nonsense"],
    ["restore", file],
    ["restore", file, "--identity", identityFile, "--passphrase-file", identityFile, "--nonsense"],
  ]) {
    expect((await operator.command(args, 60_000)).exitCode).toBe(64);
  }
  careful.loseTheDisk();
  const foreign = await operator.command(["restore", identityFile, "--identity", identityFile], 60_000);
  expect(foreign).toMatchObject({ exitCode: 1, stdout: "" });
  expect(foreign.stderr).toMatch(/no backup of europa-node/);
  expect(existsSync(operator.configPath)).toBe(false);
  expect((await operator.command(["backup", "--recipient", recipient], 60_000)).exitCode).toBe(78);
  await careful.restore(file);
  expect(readFileSync(operator.configPath, "utf8")).toContain("[listing]");
});
