import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Wallet } from "@cashu/cashu-ts";
import { generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { BooksReport } from "../books/report.ts";
import { type RefundAnswer, refundAnswerSchema } from "../refunds/refund-messages.ts";
import { createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Ended, type Operator } from "../testing/operator.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { expectRefused } from "./expectations.ts";

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

async function locked(): Promise<string> {
  return (await mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: operator.p2pk } })).token;
}

function buy(token: string) {
  const { url, publicHost, pubkey: operatorPubkey, dTag } = operator;
  return createBuyer().purchase({ url, publicHost, operatorPubkey, dTag, price: DAY, token });
}

function refund(token: string, ...more: string[]): Promise<Ended> {
  const file = join(operator.folder, "token");
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return operator.command(["refund", "--token-file", file, ...more], 60_000);
}

/** What a buyer's wallet gets for it. */
async function received(token: string, privkey?: string): Promise<number> {
  const wallet = new Wallet(mint.url);
  await wallet.loadMint();
  const proofs = await wallet.receive(token, privkey === undefined ? undefined : { privkey });
  return proofs.reduce((sum, { amount }) => sum + Number(amount), 0);
}

it("gives a refused buyer's token back, once, and the books know", { timeout: 180_000 }, async () => {
  const token = await locked();
  expect((await operator.command(["listing", "pause"], 60_000)).exitCode).toBe(0);
  expectRefused(await buy(token), { status: 503, reason: "tunnel-unavailable" });
  const first = await refund(token);
  expect(first).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/^100 sat taken, 99 sat given back, 1/),
  });
  const again = await refund(token);
  expect(again.stdout).toBe(first.stdout);
  expect(await received(first.stdout.trim())).toBe(98);

  expect((await operator.command(["listing", "resume"], 60_000)).exitCode).toBe(0);
  expectRefused(await buy(token), { status: 402, reason: "double-spent" });
  const sold = await locked();
  expect((await buy(sold)).status).toBe(200);
  expect(await refund(sold)).toMatchObject({ exitCode: 1, stdout: "" });
  const { stdout } = await operator.command(["books", "--json"], 60_000);
  expect((JSON.parse(stdout) as BooksReport).refunds).toEqual({
    refunds: 1,
    takenSat: 100,
    givenSat: 99,
    feeSat: 1,
    lossSat: 0,
    open: 0,
  });
  const log = operator
    .output()
    .split("\n")
    .filter((line) => line.startsWith('{"level"'))
    .join("\n");
  expect(log).toContain('"event":"refunded"');
  for (const secret of [token, first.stdout.trim()]) expect(log).not.toContain(secret);
});

it("to a key, whose owner alone can spend it", { timeout: 180_000 }, async () => {
  const key = generateSecretKey();
  const { stdout } = await refund(await locked(), "--to", `02${getPublicKey(key)}`, "--json");
  const answer = JSON.parse(stdout) as RefundAnswer;
  if (answer.kind !== "refunded" || answer.token === null) throw new Error(stdout);
  await expect(received(answer.token)).rejects.toThrow();
  expect(await received(answer.token, Buffer.from(key).toString("hex"))).toBe(98);
});

it("what is wrong is told by an exit code", { timeout: 180_000 }, async () => {
  expect((await refund("")).exitCode).toBe(64);
  expect((await refund(await locked(), "--to", "npub1")).exitCode).toBe(64);
  expect((await refund("cashuBnonsense")).exitCode).toBe(1);
  await operator.stop();
  expect((await refund(await locked())).exitCode).toBe(69);
});

it("2 while the mint has not said what it did; the very same again brings the token", {
  timeout: 180_000,
}, async () => {
  const token = await locked();
  mint.fault = ({ path }) =>
    ["/v1/swap", "/v1/checkstate", "/v1/restore"].includes(path)
      ? { kind: "status", status: 503, acts: path === "/v1/swap" }
      : undefined;
  const { exitCode, stdout } = await refund(token, "--json");
  expect({ exitCode, answer: refundAnswerSchema.parse(JSON.parse(stdout)) }).toMatchObject({
    exitCode: 2,
    answer: { kind: "open" },
  });
  mint.fault = undefined;
  const again = await refund(token, "--json");
  expect({ exitCode: again.exitCode, answer: JSON.parse(again.stdout) }).toMatchObject({
    exitCode: 0,
    answer: { kind: "refunded", givenSat: 99 },
  });
});
