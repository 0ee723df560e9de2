import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import type { Fault } from "../testing/mint-faults.ts";
import { p2pkPublicKey, provesProof } from "./curve.ts";
import { createMintHttp } from "./mint-http.ts";
import { createMints } from "./mints.ts";
import { parseSwapJournal } from "./swap-journal.ts";
import { createMintLink } from "./swap-link.ts";

const PRIVKEY = "11".repeat(32);
const PUBKEY = p2pkPublicKey(PRIVKEY);
/** For cases in which the mint answers, however busy the machine is, and for silence. */
const PATIENT_MS = 20_000;
const IMPATIENT_MS = 300;

const running: TestMint[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((mint) => mint.stop()));
});

async function setUp(feePpk = 0, timeoutMs = PATIENT_MS) {
  const testMint = await startMint({ feePpk });
  running.push(testMint);
  const mints = createMints({
    mintUrls: [testMint.url],
    privkeyHex: PRIVKEY,
    pubkeyHex: PUBKEY,
    maxFeeSat: 10,
    clock: { now: () => 1_800_000_000 },
  });
  await mints.refresh();
  /** A link of its own, as a restarted daemon has it: no keysets, no configuration. */
  const link = createMintLink(createMintHttp({ timeoutMs }));
  const prepare = async (amountSat: number) => {
    const { token } = await mintToken({ mintUrl: testMint.url, amountSat, lock: { pubkey: PUBKEY } });
    const journal = await mints.find(testMint.url)?.prepareSwap(mints.reader.decode(token));
    if (!journal) throw new Error("no mint");
    return journal;
  };
  return { testMint, link, prepare };
}

function sum(proofs: { amountSat: number }[]): number {
  return proofs.reduce((total, proof) => total + proof.amountSat, 0);
}

describe("swap", () => {
  it("gives proofs that are the mint's, unspent, and known by their Y", async () => {
    const { testMint, link, prepare } = await setUp(100);
    const journal = await prepare(100);
    const outcome = await link.swap(journal);
    if (outcome.kind !== "signed") throw new Error(outcome.kind);
    expect(sum(outcome.proofs)).toBe(99);
    for (const [index, proof] of outcome.proofs.entries()) {
      expect(proof).toMatchObject({ mintUrl: testMint.url, keysetId: testMint.activeKeysetId() });
      const { dleq } = proof;
      expect(dleq && provesProof(dleq, proof, journal.outputs[index]?.mintPubkey ?? "")).toBe(true);
    }
    expect(
      await link.inputState(
        testMint.url,
        outcome.proofs.map((proof) => proof.y),
      ),
    ).toBe("UNSPENT");
    expect(await link.inputState(testMint.url, journal.inputYs)).toBe("SPENT");
  });

  it("is finished by a journal that went through JSON, for any amount", async () => {
    const { link, prepare } = await setUp(100);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 5, max: 5000 }), async (amountSat) => {
        const journal = await prepare(amountSat);
        const read = parseSwapJournal(JSON.stringify(journal));
        expect(read).toEqual(journal);
        const outcome = await link.swap(read);
        expect(outcome.kind === "signed" && sum(outcome.proofs)).toBe(amountSat - journal.feeSat);
      }),
      { numRuns: 8 },
    );
  });

  it.each<[string, Fault, object]>([
    ["a NUT error", { kind: "refuse", code: 11005 }, { kind: "refused", code: 11005 }],
    ["pending", { kind: "pending" }, { kind: "ambiguous" }],
    ["a proxy's 403", { kind: "status", status: 403 }, { kind: "ambiguous" }],
    ["a proxy's 400", { kind: "status", status: 400 }, { kind: "ambiguous" }],
    ["a 502 after it was done", { kind: "status", status: 502, acts: true }, { kind: "ambiguous" }],
    ["garbage", { kind: "garbage" }, { kind: "ambiguous" }],
    ["a redirect", { kind: "redirect", location: "/v1/keysets" }, { kind: "ambiguous" }],
    ["a broken connection", { kind: "drop-before" }, { kind: "ambiguous" }],
    ["silence", { kind: "stall" }, { kind: "ambiguous", why: `no answer within ${IMPATIENT_MS} ms` }],
  ])("%s", async (_, fault, expected) => {
    const timeoutMs = fault.kind === "stall" ? IMPATIENT_MS : PATIENT_MS;
    const { testMint, link, prepare } = await setUp(0, timeoutMs);
    const journal = await prepare(5);
    testMint.failNext("/v1/swap", fault);
    expect(await link.swap(journal)).toMatchObject(expected);
    expect(testMint.requestCount("/v1/swap")).toBe(1);
  });

  it.each([
    ["too-few", 6],
    ["too-many", 7],
    ["wrong-amount", 6],
    ["wrong-keyset", 6],
    ["invalid-signature", 6],
  ] as const)("answered %s is flawed, and the good proofs are kept", async (flaw, goodSat) => {
    const { testMint, link, prepare } = await setUp();
    const journal = await prepare(7);
    testMint.failNext("/v1/swap", { kind: "flawed", flaw });
    const outcome = await link.swap(journal);
    if (outcome.kind !== "flawed") throw new Error(outcome.kind);
    expect(sum(outcome.proofs)).toBe(goodSat);
    expect(outcome.detail).not.toBe("");
    expect(await link.restore([journal])).toMatchObject({ kind: "signed" });
  });

  it("takes signatures without NUT-12, which older mints do not know", async () => {
    const { testMint, link, prepare } = await setUp();
    const journal = await prepare(7);
    testMint.failNext("/v1/swap", { kind: "flawed", flaw: "no-dleq" });
    const outcome = await link.swap(journal);
    if (outcome.kind !== "signed") throw new Error(outcome.kind);
    expect(outcome.proofs.filter((proof) => proof.dleq === undefined)).toHaveLength(1);
    expect(
      await link.inputState(
        testMint.url,
        outcome.proofs.map((proof) => proof.y),
      ),
    ).toBe("UNSPENT");
  });
});

describe("restore", () => {
  it("gives after a lost answer what the swap would have given", async () => {
    const { testMint, link, prepare } = await setUp();
    const lost = await prepare(100);
    const never = await prepare(50);
    testMint.failNext("/v1/swap", { kind: "drop-after" });
    expect(await link.swap(lost)).toMatchObject({ kind: "ambiguous" });
    const restored = await link.restore([never, lost]);
    if (restored.kind !== "signed") throw new Error(restored.kind);
    expect(sum(restored.proofs)).toBe(100);
    expect(restored.proofs.map((proof) => proof.secret)).toEqual(lost.outputs.map((output) => output.secret));
    expect(await link.restore([never])).toEqual({ kind: "empty" });
  });

  it("says flawed of an attempt that is signed in part or wrongly", async () => {
    const { testMint, link, prepare } = await setUp();
    for (const flaw of ["too-few", "invalid-signature", "wrong-amount"] as const) {
      const journal = await prepare(7);
      testMint.failNext("/v1/swap", { kind: "flawed", flaw, lasting: true });
      await link.swap(journal);
      const restored = await link.restore([journal]);
      if (restored.kind !== "flawed") throw new Error(`${flaw}: ${restored.kind}`);
      expect(sum(restored.proofs)).toBe(6);
    }
  });

  it("is not empty when the mint does not answer so", async () => {
    const { testMint, link, prepare } = await setUp();
    const journal = await prepare(5);
    const faults: Fault[] = [
      { kind: "status", status: 404 },
      { kind: "refuse", code: 11005 },
      { kind: "garbage" },
      { kind: "garbage", body: `{"outputs":[{"B_":"${journal.outputs[0]?.B_}"}],"signatures":[]}` },
    ];
    for (const fault of faults) {
      testMint.failNext("/v1/restore", fault);
      expect(await link.restore([journal])).toMatchObject({ kind: "unknown" });
    }
  });
});

describe("inputState", () => {
  it("is SPENT or PENDING for one such input, UNSPENT only for all", async () => {
    const { testMint, link, prepare } = await setUp();
    const [spent, unspent] = [await prepare(4), await prepare(3)];
    await link.swap(spent);
    const { url } = testMint;
    expect(await link.inputState(url, unspent.inputYs)).toBe("UNSPENT");
    testMint.pendingYs.add(unspent.inputYs[1] ?? "");
    expect(await link.inputState(url, unspent.inputYs)).toBe("PENDING");
    expect(await link.inputState(url, [...unspent.inputYs, ...spent.inputYs])).toBe("SPENT");
  });

  it("is unknown when the mint is silent, leaves inputs out, or nothing was asked", async () => {
    const { testMint, link, prepare } = await setUp();
    const { inputYs } = await prepare(3);
    const state = (Y: string | undefined) => `{"Y":"${Y}","state":"UNSPENT","witness":null}`;
    testMint.failNext(
      "/v1/checkstate",
      { kind: "status", status: 500 },
      { kind: "garbage", body: `{"states":[${state(inputYs[0])}]}` },
      { kind: "garbage", body: `{"states":[${state(inputYs[0])},${state(`02${"ab".repeat(32)}`)}]}` },
    );
    for (let asked = 0; asked < 3; asked += 1)
      expect(await link.inputState(testMint.url, inputYs)).toBe("unknown");
    expect(await link.inputState(testMint.url, [])).toBe("unknown");
    expect(await link.inputState(testMint.url, inputYs)).toBe("UNSPENT");
  });

  it("asks in batches", async () => {
    const { testMint, link, prepare } = await setUp();
    const [first, second] = [await prepare(1), await prepare(1)];
    await link.swap(second);
    const fillers = Array.from({ length: 100 }, (_, i) =>
      p2pkPublicKey((i + 1).toString(16).padStart(64, "0")),
    );
    const asked = testMint.requestCount("/v1/checkstate");
    expect(await link.inputState(testMint.url, [...first.inputYs, ...fillers, ...second.inputYs])).toBe(
      "SPENT",
    );
    expect(testMint.requestCount("/v1/checkstate")).toBe(asked + 2);
  });
});

describe("parseSwapJournal", () => {
  it("takes nothing that is not a journal", () => {
    for (const text of ["", "{}", '{"version":2}', "null"]) expect(() => parseSwapJournal(text)).toThrow();
  });
});
