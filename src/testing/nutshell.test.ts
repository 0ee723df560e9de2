import { createRandomSecretKey, deriveKeysetId, getPubKeyFromPrivKey, Wallet } from "@cashu/cashu-ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mintToken, proofStates } from "./ecash.ts";
import { type Nutshell, nutshellMissing, startNutshell } from "./nutshell.ts";

const venv = process.env.EUROPA_TEST_NUTSHELL;
const missing = nutshellMissing(venv, Boolean(process.env.CI));

test("missing, it is a reason to skip, and in CI an error", () => {
  expect(nutshellMissing(undefined, false)).toMatch(/EUROPA_TEST_NUTSHELL/);
  expect(() => nutshellMissing(undefined, true)).toThrow(/EUROPA_TEST_NUTSHELL/);
  expect(() => nutshellMissing("/nowhere", true)).toThrow(/bin\/mint/);
});

describe.skipIf(missing)(`Nutshell${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let nutshell: Nutshell;

  beforeAll(async () => {
    nutshell = await startNutshell({ venv: venv ?? "", feePpk: 100 });
  }, 70_000);

  afterAll(() => nutshell.stop());

  test("sells a locked token that its owner alone receives", async () => {
    const secretKey = createRandomSecretKey();
    const { token, proofs } = await mintToken({
      mintUrl: nutshell.url,
      amountSat: 21,
      lock: { pubkey: Buffer.from(getPubKeyFromPrivKey(secretKey)).toString("hex") },
    });
    const wallet = new Wallet(nutshell.url);
    await wallet.loadMint();
    await expect(wallet.ops.receive(token).run()).rejects.toThrow();
    expect(await proofStates(nutshell.url, proofs)).toEqual(proofs.map(() => "UNSPENT"));
    await wallet.ops.receive(token).privkey(Buffer.from(secretKey).toString("hex")).run();
    expect(await proofStates(nutshell.url, proofs)).toEqual(proofs.map(() => "SPENT"));
  });

  test("derives its keyset id as our mint does", async () => {
    const wallet = new Wallet(nutshell.url);
    await wallet.loadMint();
    const { id, keys } = wallet.getKeyset();
    const versionByte = Number.parseInt(id.slice(0, 2), 16);
    expect(deriveKeysetId(keys, { versionByte, unit: "sat", input_fee_ppk: 100 })).toBe(id);
  });
});

describe.skipIf(missing)("stop", () => {
  test("leaves nothing that listens", async () => {
    const nutshell = await startNutshell({ venv: venv ?? "" });
    await nutshell.stop();
    await expect(fetch(`${nutshell.url}/v1/info`)).rejects.toThrow();
  }, 70_000);
});
