import { deriveKeysetId } from "@cashu/cashu-ts";
import { afterEach, describe, expect, it } from "vitest";
import { encodeToken, type MintTokenOptions, mintToken, proofStates } from "../testing/ecash.ts";
import { startMint, type TestMint, type TestMintOptions } from "../testing/mint.ts";
import { p2pkPublicKey } from "./curve.ts";
import { createMints, type MintsSettings } from "./mints.ts";
import { journaledInputs } from "./swap-journal.ts";

const PRIVKEY = "11".repeat(32);
const PUBKEY = p2pkPublicKey(PRIVKEY);

const running: TestMint[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((mint) => mint.stop()));
});

async function setUp(options: TestMintOptions = {}, settings: Partial<MintsSettings> = {}) {
  const testMint = await startMint(options);
  running.push(testMint);
  const time = { now: 1_800_000_000 };
  const mints = createMints({
    mintUrls: [testMint.url],
    privkeyHex: PRIVKEY,
    pubkeyHex: PUBKEY,
    maxFeeSat: 10,
    clock: { now: () => time.now },
    timeoutMs: 20_000,
    ...settings,
  });
  await mints.refresh();
  const [mint] = mints.all();
  if (!mint) throw new Error("no mint");
  const buy = async (amountSat: number, more: Partial<MintTokenOptions> = {}) => {
    const minted = await mintToken({ mintUrl: testMint.url, amountSat, lock: { pubkey: PUBKEY }, ...more });
    return { ...minted, decoded: mints.reader.decode(minted.token) };
  };
  return { testMint, mints, mint, time, buy };
}

describe("prepareSwap", () => {
  it.each([
    ["v1", "cashuA"],
    ["v1", "cashuB"],
    ["v2", "cashuA"],
    ["v2", "cashuB"],
  ] as const)(
    "takes tokens of %s keysets in %s, and the mint carries the swap out",
    async (keysetVersion, encoding) => {
      const { testMint, mint, mints, buy } = await setUp({ keysetVersion, feePpk: 100 });
      const { decoded } = await buy(100, { encoding });
      const journal = await mint.prepareSwap(decoded);
      expect(journal).toMatchObject({ version: 1, mintUrl: testMint.url, feeSat: 1, inputYs: decoded.ys });
      expect(journal.outputs.map((output) => output.amountSat)).toEqual([1, 2, 32, 64]);
      for (const input of JSON.parse(journal.body).inputs) {
        expect(Object.keys(input).sort()).toEqual(["C", "amount", "id", "secret", "witness"]);
        expect(input.id).toBe(testMint.activeKeysetId());
      }
      expect(await mints.link.swap(journal)).toMatchObject({ kind: "signed" });
      expect(testMint.swapCount()).toBe(1);
    },
  );

  const key = (privkey: string) => p2pkPublicKey(privkey.repeat(32));
  const inAnHour = Math.floor(Date.now() / 1000) + 3600;
  it.each([
    ["the other parity", { pubkey: (PUBKEY.startsWith("02") ? "03" : "02") + PUBKEY.slice(2) }],
    ["1-of-2 with ours second", { pubkey: key("22"), pubkeys: [PUBKEY] }],
    ["a locktime ahead and a refund key", { pubkey: PUBKEY, locktime: inAnHour, refundKeys: [key("33")] }],
  ])("signs for %s", async (_, lock) => {
    const { mint, mints, buy } = await setUp();
    const { decoded } = await buy(5, { lock });
    mints.reader.checkLocks(decoded, Math.floor(Date.now() / 1000));
    expect(await mints.link.swap(await mint.prepareSwap(decoded))).toMatchObject({ kind: "signed" });
  });

  it("takes inputs of a keyset that turned inactive", async () => {
    const { testMint, mint, mints, buy } = await setUp();
    const { decoded } = await buy(8);
    const newId = testMint.rotateKeyset();
    await mints.refresh();
    const journal = await mint.prepareSwap(decoded);
    expect(journal.outputs.every((output) => output.keysetId === newId)).toBe(true);
    expect(await mints.link.swap(journal)).toMatchObject({ kind: "signed" });
  });

  it("signs outputs on the active keyset with the lowest fee, of unit sat", async () => {
    const { testMint, mint, mints, buy } = await setUp({ feePpk: 500 });
    const { decoded } = await buy(100);
    testMint.addKeyset({ unit: "usd", feePpk: 0 });
    const cheap = testMint.addKeyset({ feePpk: 100, version: "v1" });
    await mints.refresh();
    expect((await mint.prepareSwap(decoded)).outputs.map((output) => output.keysetId)).toContain(cheap);
  });

  it("refuses an unbearable fee before anything is spent, and says what would fit", async () => {
    const { testMint, mint, buy } = await setUp({ feePpk: 1000 });
    const many = await buy(11, { denominations: Array.from({ length: 11 }, () => 1) });
    await expect(mint.prepareSwap(many.decoded)).rejects.toMatchObject({
      reason: "amount-mismatch",
      message: expect.stringMatching(/11 sat .* at most 2 sat .*fewer, larger proofs/),
    });
    const few = await buy(5, { denominations: [4, 1] });
    await expect(mint.prepareSwap(few.decoded)).rejects.toMatchObject({ reason: "amount-mismatch" });
    const fits = await buy(2048, { denominations: Array.from({ length: 8 }, () => 256) });
    expect((await mint.prepareSwap(fits.decoded)).feeSat).toBe(8);
    const beyond = await buy(2816, { denominations: Array.from({ length: 11 }, () => 256) });
    await expect(mint.prepareSwap(beyond.decoded)).rejects.toMatchObject({ reason: "amount-mismatch" });
    expect(await proofStates(testMint.url, beyond.proofs)).not.toContain("SPENT");
  });

  it("refuses a forged NUT-12 proof, a signature that is no point, and an amount without a key", async () => {
    const { testMint, mint, buy } = await setUp();
    const { decoded } = await buy(3);
    const change = (patch: Partial<(typeof decoded.proofs)[number]>) => ({
      ...decoded,
      proofs: decoded.proofs.map((proof, index) => (index === 1 ? { ...proof, ...patch } : proof)),
    });
    const dleq = decoded.proofs[1]?.dleq;
    expect(dleq).toBeDefined();
    const forgeries = [
      { dleq: { e: "11".repeat(32), s: "22".repeat(32), r: "33".repeat(32) } },
      { dleq: { e: dleq?.e ?? "", s: dleq?.s ?? "", r: "00".repeat(32) } },
      { dleq: { e: "ff".repeat(32), s: "ff".repeat(32), r: "ff".repeat(32) } },
      { C: decoded.proofs[0]?.C ?? "" },
      { C: `02${"ff".repeat(32)}` },
      { amountSat: 3 },
    ];
    for (const forgery of forgeries) {
      await expect(mint.prepareSwap(change(forgery))).rejects.toMatchObject({ reason: "invalid-token" });
    }
    expect(testMint.requestCount("/v1/swap")).toBe(0);
  });

  it("takes a token without NUT-12 proofs", async () => {
    const { testMint, mint, mints, buy } = await setUp();
    const { proofs } = await buy(3);
    const bare = proofs.map(({ dleq: _, ...proof }) => proof);
    const journal = await mint.prepareSwap(mints.reader.decode(encodeToken(bare, testMint.url)));
    expect(await mints.link.swap(journal)).toMatchObject({ kind: "signed" });
  });

  it("asks once about an unknown keyset, however many ask, and then rests", async () => {
    const { testMint, mint, buy, time } = await setUp();
    testMint.rotateKeyset({ version: "v2" });
    const { decoded } = await buy(1);
    const asked = testMint.requestCount("/v1/keysets");
    time.now += 10;
    await Promise.all([mint.prepareSwap(decoded), mint.prepareSwap(decoded)]);
    expect(testMint.requestCount("/v1/keysets")).toBe(asked + 1);
    const unknown = {
      ...decoded,
      proofs: decoded.proofs.map((proof) => ({ ...proof, keysetId: `01${"cd".repeat(32)}` })),
    };
    for (const keysetId of [`01${"cd".repeat(32)}`, "01cdcdcdcdcdcdcd", "L3zxxRB/I8uE"]) {
      const proofs = unknown.proofs.map((proof) => ({ ...proof, keysetId }));
      await expect(mint.prepareSwap({ ...unknown, proofs })).rejects.toMatchObject({
        reason: "invalid-token",
      });
    }
    expect(testMint.requestCount("/v1/keysets")).toBe(asked + 1);
  });

  it("lets others run while it works", async () => {
    const { mint, buy } = await setUp();
    const { decoded } = await buy(40, { denominations: Array.from({ length: 40 }, () => 1) });
    let longest = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const started = performance.now();
    await Promise.all([mint.prepareSwap(decoded), mint.prepareSwap(decoded)]);
    const took = performance.now() - started;
    clearInterval(watch);
    expect(longest).toBeLessThan(took / 2);
  });
});

describe("reachable", () => {
  it("means keysets of at most 60 s ago", async () => {
    const { testMint, mint, mints, time, buy } = await setUp();
    const { decoded } = await buy(1);
    expect(mint.reachable()).toBe(true);
    await testMint.stop();
    time.now += 60;
    await mints.refresh();
    expect(mint.reachable()).toBe(true);
    time.now += 1;
    expect(mint.reachable()).toBe(false);
    expect(mint.status().trouble).toMatch(/not reached/);
    await expect(mint.prepareSwap(decoded)).rejects.toMatchObject({
      reason: "mint-unreachable",
      retryAfterSeconds: expect.any(Number),
    });
    await testMint.start();
    await mints.refresh();
    expect(mint.status()).toEqual({
      reachable: true,
      answeredAt: time.now,
      trouble: undefined,
      isShutOff: false,
    });
  });

  it("is false before the first answer, without a sat keyset, and once shut off", async () => {
    const { mint } = await setUp({ unit: "usd" });
    expect(mint.status().trouble).toMatch(/no active keyset/);
    const shut = await setUp();
    const { decoded } = await shut.buy(1);
    const journal = await shut.mint.prepareSwap(decoded);
    shut.mint.shutOff("wrong signature");
    await shut.mints.refresh();
    expect(shut.mint.reachable()).toBe(false);
    expect(shut.mint.status().trouble).toBe("shut off: wrong signature");
    await expect(shut.mint.prepareSwap(decoded)).rejects.toMatchObject({ reason: "mint-unreachable" });
    expect(await shut.mint.renewSwap(journal)).toBeUndefined();
  });

  it("is false when the keys do not hash to the id", async () => {
    const id = deriveKeysetId({ "1": PUBKEY }, { versionByte: 0 });
    const answers: Record<string, unknown> = {
      "/v1/keysets": { keysets: [{ id, unit: "sat", active: true }] },
      [`/v1/keys/${id}`]: { keysets: [{ id, unit: "sat", keys: { "2": PUBKEY, "1": PUBKEY } }] },
    };
    const { mint } = await setUp(
      {},
      {
        fetch: async (input) => Response.json(answers[new URL(String(input)).pathname]),
      },
    );
    expect(mint.status().trouble).toMatch(/no active keyset/);
  });
});

describe("renewSwap", () => {
  it("sends the same signed inputs for fresh outputs after the keyset turned inactive", async () => {
    const { testMint, mint, mints, buy } = await setUp();
    const journal = await mint.prepareSwap((await buy(10)).decoded);
    const newId = testMint.rotateKeyset();
    expect(await mints.link.swap(journal)).toEqual({ kind: "refused", code: 12002 });
    const renewed = await mint.renewSwap(journal);
    if (!renewed) throw new Error("not renewed");
    expect(journaledInputs(renewed)).toEqual(journaledInputs(journal));
    expect(renewed.inputYs).toEqual(journal.inputYs);
    expect(renewed.outputs.map((output) => output.keysetId)).toEqual([newId, newId]);
    expect(renewed.outputs.map((output) => output.B_)).not.toContain(journal.outputs[0]?.B_);
    expect(await mints.link.swap(renewed)).toMatchObject({ kind: "signed" });
    expect(await mints.link.restore([journal, renewed])).toMatchObject({ kind: "signed" });
  });

  it("gives up on a silent mint and on a fee that is not bearable any more", async () => {
    let feePpk = 0;
    const { testMint, mint, buy } = await setUp(
      { keysetVersion: "v1" },
      {
        fetch: async (input, init) => {
          const response = await fetch(input, init);
          if (!String(input).endsWith("/v1/keysets") || !response.ok) return response;
          const { keysets } = (await response.json()) as { keysets: object[] };
          return Response.json({ keysets: keysets.map((keyset) => ({ ...keyset, input_fee_ppk: feePpk })) });
        },
      },
    );
    const { decoded } = await buy(20, { denominations: [16, 4] });
    const journal = await mint.prepareSwap(decoded);
    testMint.failNext("/v1/keysets", { kind: "status", status: 502 });
    expect(await mint.renewSwap(journal)).toBeUndefined();
    feePpk = 2000;
    expect((await mint.renewSwap(journal))?.feeSat).toBe(4);
    feePpk = 2001;
    expect(await mint.renewSwap(journal)).toBeUndefined();
  });
});

describe("createMints", () => {
  it("knows each mint once, by its normalised URL, and keeps the configured one", async () => {
    const { mints } = await setUp(
      {},
      {
        mintUrls: [
          "https://Mint.example:443/Bitcoin/",
          "https://mint.example/Bitcoin",
          "https://mint.example",
        ],
        fetch: async () => new Response("", { status: 500 }),
      },
    );
    expect(mints.all().map((mint) => mint.url)).toEqual([
      "https://Mint.example:443/Bitcoin/",
      "https://mint.example",
    ]);
    expect(mints.find("https://mint.example/Bitcoin")?.url).toBe("https://Mint.example:443/Bitcoin/");
    expect(mints.find("https://other.example")).toBeUndefined();
  });

  it("asks under the configured path only", async () => {
    const asked: string[] = [];
    await setUp(
      {},
      {
        mintUrls: ["https://mint.example/Bitcoin/"],
        fetch: async (input) => {
          asked.push(String(input));
          return new Response("", { status: 500 });
        },
      },
    );
    expect(asked).toEqual(["https://mint.example/Bitcoin/v1/keysets"]);
  });
});
