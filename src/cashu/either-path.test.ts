import {
  OutputData,
  pointFromHex,
  schnorrSignMessage,
  unblindSignature,
  verifyDLEQProof,
} from "@cashu/cashu-ts";
import { afterEach, expect, it } from "vitest";
import type { JournaledOutput } from "../sales/ports.ts";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { hashToCurveHex, p2pkPublicKey } from "./curve.ts";
import { createMints } from "./mints.ts";
import { blindedMessage, journaledInputs, parseSwapJournal, swapBody } from "./swap-journal.ts";

const PRIVKEY = "11".repeat(32);
const PUBKEY = p2pkPublicKey(PRIVKEY);

let testMint: TestMint | undefined;
afterEach(() => testMint?.stop());

async function setUp() {
  const mint = await startMint({ feePpk: 100 });
  testMint = mint;
  const mints = createMints({
    mintUrls: [mint.url],
    privkeyHex: PRIVKEY,
    pubkeyHex: PUBKEY,
    maxFeeSat: 10,
    clock: { now: () => 1_800_000_000 },
    timeoutMs: 20_000,
  });
  await mints.refresh();
  const { token } = await mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: PUBKEY } });
  const journal = await mints.find(mint.url)?.prepareSwap(mints.reader.decode(token));
  if (!journal) throw new Error("no mint");
  return { mint, mints, journal };
}

function postSwap(mintUrl: string, body: string): Promise<Response> {
  return fetch(`${mintUrl}/v1/swap`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
}

it("what is written here, cashu-ts alone can finish", async () => {
  const { mint, journal } = await setUp();
  const answer = await postSwap(mint.url, journal.body);
  const { signatures } = (await answer.json()) as {
    signatures: { C_: string; dleq: { e: string; s: string } }[];
  };
  expect(signatures).toHaveLength(journal.outputs.length);
  const proofs = journal.outputs.map((output, index) => {
    const { C_ = "", dleq } = signatures[index] ?? {};
    const [blinded, key] = [pointFromHex(C_), pointFromHex(output.mintPubkey)];
    const proof = { e: Buffer.from(dleq?.e ?? "", "hex"), s: Buffer.from(dleq?.s ?? "", "hex") };
    expect(verifyDLEQProof(proof, pointFromHex(output.B_), blinded, key)).toBe(true);
    const C = unblindSignature(blinded, BigInt(`0x${output.blindingFactor}`), key).toHex(true);
    return { id: output.keysetId, amount: output.amountSat, secret: output.secret, C };
  });
  // Spent at the mint with the signatures that cashu-ts unblinded.
  const [fee, ...rest] = byCashuTs(journal.outputs);
  expect(fee?.amountSat).toBe(1);
  const spent = await postSwap(
    mint.url,
    JSON.stringify({ inputs: proofs, outputs: rest.map(blindedMessage) }),
  );
  expect(spent.status).toBe(200);
});

it("what cashu-ts wrote, is finished here: by the swap, and by the restore after a lost answer", async () => {
  for (const lost of [false, true]) {
    const { mint, mints, journal } = await setUp();
    const outputs = byCashuTs(journal.outputs);
    const inputs = journaledInputs(journal).map((input) => ({
      ...input,
      witness: JSON.stringify({ signatures: [schnorrSignMessage(input.secret, PRIVKEY)] }),
    }));
    const theirs = parseSwapJournal(JSON.stringify({ ...journal, body: swapBody(inputs, outputs), outputs }));
    if (lost) mint.failNext("/v1/swap", { kind: "drop-after" });
    const outcome = await mints.link.swap(theirs);
    if (lost) expect(outcome.kind).toBe("ambiguous");
    const finished = lost ? await mints.link.restore([theirs]) : outcome;
    if (finished.kind !== "signed") throw new Error(finished.kind);
    expect(finished.proofs.reduce((sum, proof) => sum + proof.amountSat, 0)).toBe(99);
    expect(finished.proofs.map((proof) => proof.y)).toEqual(
      outputs.map(({ secret }) => hashToCurveHex(secret)),
    );
    await mint.stop();
  }
});

/** Fresh outputs of the same amounts, as the daemon wrote them when cashu-ts did its arithmetic. */
function byCashuTs(outputs: JournaledOutput[]): JournaledOutput[] {
  return outputs.map((output) => {
    const data = OutputData.createSingleRandomData(output.amountSat, output.keysetId);
    return {
      ...output,
      secret: new TextDecoder().decode(data.secret),
      blindingFactor: data.blindingFactor.toString(16).padStart(64, "0"),
      B_: data.blindedMessage.B_,
    };
  });
}
