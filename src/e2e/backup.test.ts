import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { MadeBackup } from "../backup/make-backup.ts";
import type { Restored } from "../backup/restore-backup.ts";
import type { BooksReport } from "../books/report.ts";
import { createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";

const DAY = { amount: 100, currency: "sat", unit: "day" } as const;

let relay: TestRelay;
let mint: TestMint;
let operator: Operator;
let recipient: string;
let identityFile: string;

beforeEach(async () => {
  relay = await startRelay();
  mint = await startMint({ feePpk: 100 });
  operator = await createOperator({ relays: [relay.url], mints: [mint.url] });
  const identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  identityFile = join(operator.folder, "identity.txt");
  writeFileSync(identityFile, `# made for a test\n${identity}\n`, { mode: 0o600 });
  await operator.start();
});

afterEach(async () => {
  await operator.destroy();
  await mint.stop();
  await relay.stop();
});

async function buy(): Promise<void> {
  const { token } = await mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: operator.p2pk } });
  const { url, publicHost, pubkey: operatorPubkey, dTag } = operator;
  const answer = await createBuyer().purchase({ url, publicHost, operatorPubkey, dTag, price: DAY, token });
  expect(answer.status).toBe(200);
}

async function backUp(name: string): Promise<string> {
  const out = join(operator.folder, name);
  const ended = await operator.command(["backup", "--out", out, "--recipient", recipient, "--json"], 60_000);
  expect(ended.stderr).toBe("");
  expect(ended.exitCode).toBe(0);
  expect(JSON.parse(ended.stdout) as MadeBackup).toMatchObject({ path: out, absent: [] });
  return out;
}

/** The disk is gone, and with it everything of the daemon's. */
function loseTheDisk(): void {
  const lost = join(operator.folder, "lost");
  mkdirSync(lost);
  for (const folder of ["data", "config"]) renameSync(join(operator.folder, folder), join(lost, folder));
}

async function restore(file: string): Promise<Restored> {
  const ended = await operator.command(["restore", file, "--identity", identityFile, "--json"], 60_000);
  expect(ended.stderr).toBe("");
  expect(ended.exitCode).toBe(0);
  return JSON.parse(ended.stdout) as Restored;
}

async function books(): Promise<BooksReport> {
  return JSON.parse((await operator.command(["books", "--json"], 60_000)).stdout) as BooksReport;
}

it("taken under load and restored elsewhere: books balance, and every tunnel of it is up", {
  timeout: 240_000,
}, async () => {
  for (let sold = 0; sold < 4; sold++) await buy();
  const load = Array.from({ length: 12 }, buy);
  const file = await backUp("backup.age");
  await Promise.all(load);
  await operator.kill();
  loseTheDisk();
  const { written } = await restore(file);
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

it("is made of a daemon that stands still too, and tells what is wrong in words, with an exit code", {
  timeout: 240_000,
}, async () => {
  await buy();
  await operator.stop();
  const file = await backUp("still.age");
  const standing = await operator.command(["restore", file, "--identity", identityFile]);
  expect(standing.exitCode).toBe(1);
  expect(standing.stderr).toMatch(/nothing is overwritten/);
  const again = await operator.command(["backup", "--out", file, "--recipient", recipient]);
  expect(again.exitCode).toBe(1);
  for (const args of [
    ["backup", "--recipient", "age1nonsense"],
    ["restore", file],
    ["restore", file, "--identity", identityFile, "--passphrase-file", identityFile, "--nonsense"],
  ]) {
    expect((await operator.command(args)).exitCode).toBe(64);
  }
  loseTheDisk();
  const foreign = await operator.command(["restore", identityFile, "--identity", identityFile]);
  expect(foreign).toMatchObject({ exitCode: 1, stdout: "" });
  expect(foreign.stderr).toMatch(/no backup of europa-node/);
  expect(existsSync(operator.configPath)).toBe(false);
  expect((await operator.command(["backup", "--recipient", recipient])).exitCode).toBe(78);
  await restore(file);
  expect(readFileSync(operator.configPath, "utf8")).toContain("[listing]");
});
