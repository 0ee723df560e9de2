import { createHash } from "node:crypto";
import {
  Amount,
  CheckStateEnum,
  createRandomSecretKey,
  deriveKeysetId,
  getPubKeyFromPrivKey,
  hasValidDleq,
  isMintOperationError,
  Mint,
  type MintKeys,
  type Proof,
  schnorrSignMessage,
  signP2PKProofs,
  Wallet,
} from "@cashu/cashu-ts";
import { afterEach, describe, expect, test } from "vitest";
import { mintToken, proofStates, type TokenLock } from "./ecash.ts";
import { startMint, type TestMint, type TestMintOptions } from "./mint.ts";
import { yOf } from "./mint-ledger.ts";

const mints: TestMint[] = [];

afterEach(async () => {
  await Promise.all(mints.splice(0).map((mint) => mint.stop()));
});

async function mintWith(options?: TestMintOptions): Promise<TestMint> {
  const mint = await startMint(options);
  mints.push(mint);
  return mint;
}

async function walletOf(mint: TestMint): Promise<Wallet> {
  const wallet = new Wallet(mint.url);
  await wallet.loadMint();
  return wallet;
}

function keyPair() {
  const secretKey = createRandomSecretKey();
  return {
    privateKey: Buffer.from(secretKey).toString("hex"),
    publicKey: Buffer.from(getPubKeyFromPrivKey(secretKey)).toString("hex"),
  };
}

function total(proofs: readonly Proof[]): number {
  return Amount.sum(proofs.map(({ amount }) => amount)).toNumber();
}

/** The mint's error code for what was asked, or undefined when it did it. */
async function codeOf(asked: Promise<unknown>): Promise<number | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    if (isMintOperationError(error)) return error.code;
    throw error;
  }
}

async function postSwap(mint: TestMint, body: object) {
  const response = await fetch(`${mint.url}/v1/swap`, { method: "POST", body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as { code?: number } };
}

describe.each(["v1", "v2"] as const)("with a keyset id of %s", (keysetVersion) => {
  test("the id is the one that its keys, unit and fee give", async () => {
    const mint = await mintWith({ keysetVersion, feePpk: 100 });
    const { keysets } = await new Mint(mint.url).getKeys();
    const { id, keys } = keysets[0] as MintKeys;
    const byAmount = Object.entries<string>(keys).sort(([a], [b]) => Number(a) - Number(b));
    const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
    const list = byAmount.map(([amount, key]) => `${amount}:${key}`).join(",");
    const expected =
      keysetVersion === "v1"
        ? `00${sha256(Buffer.from(byAmount.map(([, key]) => key).join(""), "hex")).slice(0, 14)}`
        : `01${sha256(`${list}|unit:sat|input_fee_ppk:100`)}`;
    expect(id).toBe(expected);
    expect(
      deriveKeysetId(keys, { versionByte: keysetVersion === "v1" ? 0 : 1, unit: "sat", input_fee_ppk: 100 }),
    ).toBe(id);
  });

  test.each([0, 100, 1500])(
    "a wallet mints, checks DLEQ and swaps at an input fee of %d ppk",
    async (feePpk) => {
      const mint = await mintWith({ keysetVersion, feePpk });
      const wallet = await walletOf(mint);
      const { proofs, token } = await mintToken({ mintUrl: mint.url, amountSat: 100 });
      expect(total(proofs)).toBe(100);
      expect(proofs.every((proof) => hasValidDleq(proof, wallet.getKeyset(), { require: true }))).toBe(true);
      const received = await wallet.ops.receive(token).requireDleq(true).run();
      expect(total(received)).toBe(100 - Math.ceil((proofs.length * feePpk) / 1000));
      expect(mint.swapCount()).toBe(1);
      expect(mint.spentYs().sort()).toEqual(proofs.map(({ secret }) => yOf(secret)).sort());
      expect(await proofStates(mint.url, proofs)).toEqual(proofs.map(() => CheckStateEnum.SPENT));
      expect(await proofStates(mint.url, received)).toEqual(received.map(() => CheckStateEnum.UNSPENT));
      expect(await codeOf(wallet.ops.receive(token).run())).toBe(11001);
    },
  );

  test("a token locked to a key is received with that key alone", async () => {
    const mint = await mintWith({ keysetVersion });
    const wallet = await walletOf(mint);
    const owner = keyPair();
    for (const encoding of ["cashuA", "cashuB"] as const) {
      const { token, proofs } = await mintToken({
        mintUrl: mint.url,
        amountSat: 21,
        lock: { pubkey: owner.publicKey },
        encoding,
      });
      expect(token.startsWith(encoding)).toBe(true);
      const stranger = wallet.ops.receive(signP2PKProofs(proofs, keyPair().privateKey)).run();
      expect(await codeOf(stranger)).toBe(10001);
      expect(await codeOf(wallet.ops.receive(token).run())).toBe(10001);
      expect(total(await wallet.ops.receive(token).privkey(owner.privateKey).run())).toBe(21);
    }
  });
});

test("restores what was signed, and nothing else", async () => {
  const mint = await mintWith();
  const wallet = await walletOf(mint);
  const { token } = await mintToken({ mintUrl: mint.url, amountSat: 13 });
  const preview = await wallet.ops.receive(token).prepare();
  const outputs = [...(preview.keepOutputs ?? [])].map(({ blindedMessage }) => blindedMessage);
  expect(await wallet.mint.restore({ outputs })).toMatchObject({ outputs: [], signatures: [] });
  await wallet.completeSwap(preview);
  const restored = await wallet.mint.restore({
    outputs: outputs.map((output) => ({ ...output, amount: Amount.zero() })),
  });
  expect(restored.signatures.map(({ amount }) => amount.toNumber())).toEqual(
    outputs.map(({ amount }) => amount.toNumber()),
  );
});

/** A swap as it goes over the wire: the inputs of a token into fresh outputs of the same sum. */
async function swapBodyOf(mint: TestMint, proofs: Proof[]) {
  const preview = await (await walletOf(mint)).ops.receive(proofs).prepare();
  return {
    inputs: proofs.map(({ amount, id, secret, C }) => ({ amount: amount.toNumber(), id, secret, C })),
    outputs: (preview.keepOutputs ?? []).map(({ blindedMessage: { amount, id, B_ } }) => ({
      amount: amount.toNumber(),
      id,
      B_,
    })),
  };
}

describe("locks", () => {
  const now = Math.floor(Date.now() / 1000);
  const [owner, second, third, refund] = [keyPair(), keyPair(), keyPair(), keyPair()];

  /** Whether inputs under this lock are spent by these signers. */
  async function opens(
    lock: Omit<TokenLock, "pubkey">,
    signers: { privateKey: string }[],
    preimage?: string,
  ) {
    const mint = await mintWith();
    const { proofs } = await mintToken({
      mintUrl: mint.url,
      amountSat: 3,
      lock: { pubkey: owner.publicKey, ...lock },
    });
    const { inputs, outputs } = await swapBodyOf(mint, proofs);
    const everything = [
      ...inputs.map(({ secret, C }) => secret + C),
      ...outputs.map(({ amount, B_ }) => `${amount}${B_}`),
    ].join("");
    const signed = inputs.map((input) => {
      const message = lock.sigFlag === "SIG_ALL" ? everything : input.secret;
      const signatures = signers.map(({ privateKey }) => schnorrSignMessage(message, privateKey));
      return { ...input, witness: JSON.stringify({ signatures, preimage }) };
    });
    const { status, body } = await postSwap(mint, { inputs: signed, outputs });
    if (status === 200) return true;
    expect([status, body.code, mint.spentYs()]).toEqual([400, 10001, []]);
    return false;
  }

  const twoOfThree = { pubkeys: [second.publicKey, third.publicKey], nSigs: 2 };
  const past = { locktime: now - 60, refundKeys: [refund.publicKey] };
  const future = { locktime: now + 3600, refundKeys: [refund.publicKey] };

  test.each<[boolean, string, Omit<TokenLock, "pubkey">, { privateKey: string }[]]>([
    [true, "the owner", {}, [owner]],
    [false, "a stranger", {}, [second]],
    [false, "nobody", {}, []],
    [true, "1-of-2 by the further key", { pubkeys: [second.publicKey] }, [second]],
    [true, "2-of-3 by two", twoOfThree, [owner, third]],
    [false, "2-of-3 by one", twoOfThree, [owner]],
    [false, "2-of-3 by one who signs twice", twoOfThree, [owner, owner]],
    [false, "2-of-3 by one and a stranger", twoOfThree, [owner, refund]],
    [true, "a future locktime by its owner", future, [owner]],
    [false, "a future locktime by the refund key", future, [refund]],
    [true, "a past locktime without refund keys by anyone", { locktime: now - 60 }, []],
    [true, "a past locktime by the refund key", past, [refund]],
    [true, "a past locktime by its owner", past, [owner]],
    [false, "a past locktime with refund keys by nobody", past, []],
    [true, "SIG_ALL by its owner", { sigFlag: "SIG_ALL" }, [owner]],
    [false, "SIG_ALL by a stranger", { sigFlag: "SIG_ALL" }, [second]],
    [false, "an unknown signature flag", { sigFlag: "SIG_SOME" }, [owner]],
    [false, "more signatures than there are keys", { nSigs: 2 }, [owner]],
  ])("%s: %s", async (expected, _name, lock, signers) => {
    expect(await opens(lock, signers)).toBe(expected);
  });

  test("a hash lock wants the preimage and the key", async () => {
    const preimage = createHash("sha256").update("seed").digest("hex");
    const hash = createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex");
    expect(await opens({ hash }, [owner], preimage)).toBe(true);
    expect(await opens({ hash }, [second], preimage)).toBe(false);
    expect(await opens({ hash }, [owner], hash)).toBe(false);
  });
});

describe("refuses, and spends nothing", () => {
  type Body = Awaited<ReturnType<typeof swapBodyOf>>;
  type Change = (body: Body, mint: TestMint) => Body | Promise<Body>;
  const first = <T>(list: T[]): T => list[0] as T;

  test.each<[string, number, Change]>([
    [
      "outputs beyond the inputs less the fee",
      11005,
      ({ inputs, outputs }) => ({ inputs, outputs: outputs.slice(1) }),
    ],
    [
      "the same input twice",
      11007,
      ({ inputs, outputs }) => ({ inputs: [...inputs, first(inputs)], outputs }),
    ],
    [
      "the same output twice",
      11008,
      ({ inputs, outputs }) => ({ inputs, outputs: [...outputs, first(outputs)] }),
    ],
    [
      "an unknown keyset",
      12001,
      ({ inputs, outputs }) => ({
        inputs,
        outputs: outputs.map((output) => ({ ...output, id: "00ffffffffffffff" })),
      }),
    ],
    [
      "outputs of an inactive keyset",
      12002,
      (body, mint) => {
        mint.rotateKeyset();
        return body;
      },
    ],
    [
      "outputs of another unit",
      11010,
      ({ inputs, outputs }, mint) => {
        const id = mint.addKeyset({ unit: "usd" });
        return { inputs, outputs: outputs.map((output) => ({ ...output, id })) };
      },
    ],
    [
      "a signature for another amount",
      10001,
      ({ inputs, outputs }) => ({
        inputs: inputs.map((input) => ({ ...input, amount: input.amount * 2 })),
        outputs,
      }),
    ],
    [
      "a signature for another secret",
      10001,
      ({ inputs, outputs }) => ({
        inputs: inputs.map((input) => ({ ...input, secret: `${input.secret}0` })),
        outputs,
      }),
    ],
    [
      "outputs that were signed before",
      11003,
      async ({ inputs, outputs }, mint) => {
        const { proofs } = await mintToken({ mintUrl: mint.url, amountSat: 7 });
        const other = await swapBodyOf(mint, proofs);
        expect((await postSwap(mint, { ...other, outputs })).status).toBe(200);
        return { inputs, outputs };
      },
    ],
    [
      "proofs that are pending",
      11002,
      (body, mint) => {
        mint.pendingYs.add(yOf(first(body.inputs).secret));
        return body;
      },
    ],
    ["no inputs", 11000, ({ outputs }) => ({ inputs: [], outputs })],
  ])("%s: %d", async (_name, code, change) => {
    const mint = await mintWith({ feePpk: 100 });
    const { proofs } = await mintToken({ mintUrl: mint.url, amountSat: 7 });
    const body = await change(await swapBodyOf(mint, proofs), mint);
    expect(await postSwap(mint, body)).toEqual({ status: 400, body: { code, detail: expect.any(String) } });
    expect(proofs.some(({ secret }) => mint.stateOf(yOf(secret)) === "SPENT")).toBe(false);
  });
});

test("proofs of a rotated keyset are swapped into the new one", async () => {
  const mint = await mintWith({ keysetVersion: "v1" });
  const { token, proofs } = await mintToken({ mintUrl: mint.url, amountSat: 5 });
  const newId = mint.rotateKeyset({ version: "v2", feePpk: 0 });
  expect(newId).not.toBe(proofs[0]?.id);
  const wallet = await walletOf(mint);
  // A wallet loads the keys of active keysets only.
  await wallet.keyChain.ensureKeysetKeys(proofs[0]?.id ?? "");
  const received = await wallet.ops.receive(token).run();
  expect(received.map(({ id }) => id)).toEqual(received.map(() => newId));
  expect((await mintToken({ mintUrl: mint.url, amountSat: 1 })).proofs[0]?.id).toBe(newId);
});

test("stopped and started again, it has the same address, keys and spent proofs", async () => {
  const mint = await mintWith();
  const { url } = mint;
  const { token } = await mintToken({ mintUrl: url, amountSat: 5 });
  const wallet = await walletOf(mint);
  await wallet.ops.receive(token).run();
  await mint.stop();
  await expect(fetch(`${url}/v1/info`)).rejects.toThrow();
  await mint.start();
  expect(mint.url).toBe(url);
  expect(await codeOf(wallet.ops.receive(token).run())).toBe(11001);
});

test("with NUT-19 the same swap gets the same answer, without it 11001", async () => {
  const mint = await mintWith({ cacheResponses: true });
  expect((await walletOf(mint)).getMintInfo().isSupported(19)).toMatchObject({ supported: true });
  const { proofs } = await mintToken({ mintUrl: mint.url, amountSat: 5 });
  const body = await swapBodyOf(mint, proofs);
  const answer = await postSwap(mint, body);
  expect(answer.status).toBe(200);
  expect(await postSwap(mint, body)).toEqual(answer);
  expect(mint.swapCount()).toBe(1);
  mint.cacheResponses = false;
  expect((await postSwap(mint, body)).body.code).toBe(11001);
});

test("makes the proofs that are asked for, with the secrets that are asked for", async () => {
  const mint = await mintWith();
  const { proofs } = await mintToken({
    mintUrl: mint.url,
    amountSat: 5,
    denominations: [1, 1, 1, 2],
    secretOverride: (index) => `secret ${index}`,
  });
  expect(proofs.map(({ amount, secret }) => [amount.toNumber(), secret])).toEqual([
    [1, "secret 0"],
    [1, "secret 1"],
    [1, "secret 2"],
    [2, "secret 3"],
  ]);
});
