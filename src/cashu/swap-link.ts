import * as z from "zod";
import type {
  InputState,
  JournaledOutput,
  MintLink,
  OwnedProof,
  RestoreOutcome,
  SwapJournal,
  SwapOutcome,
} from "../sales/ports.ts";
import { checkSignatures, pairSignatures } from "./check-signatures.ts";
import type { MintHttp } from "./mint-http.ts";
import { stateAnswerSchema } from "./proof-states.ts";
import { blindedMessage } from "./swap-journal.ts";

/** Outputs of a restore and inputs of a state check that go into one request; mints bound both. */
const BATCH = 100;

const swapAnswerSchema = z.object({ signatures: z.array(z.unknown()) });
const restoreAnswerSchema = z.object({
  outputs: z.array(z.object({ B_: z.string() })),
  signatures: z.array(z.unknown()),
});

/** Signatures by the `B_` that they sign. */
type Found = Map<string, unknown>;

/** Needs no configuration and no keyset: a journal says all, also about a mint that left the configuration. */
export function createMintLink(http: MintHttp): MintLink {
  return {
    swap: (journal) => swap(http, journal),
    restore: (journals) => restore(http, journals),
    inputState: (mintUrl, ys) => inputState(http, mintUrl, ys),
  };
}

async function swap(http: MintHttp, journal: SwapJournal): Promise<SwapOutcome> {
  const answer = await http.post(journal.mintUrl, "/v1/swap", journal.body, swapAnswerSchema);
  if (answer.kind === "refused") return answer;
  if (answer.kind === "unclear") return { kind: "ambiguous", why: answer.why };
  const paired = pairSignatures(journal.outputs, answer.value.signatures);
  const { proofs, flaws: wrong } = await checkSignatures(journal.mintUrl, paired.signed);
  const flaws = [...paired.flaws, ...wrong];
  return flaws.length === 0
    ? { kind: "signed", proofs }
    : { kind: "flawed", proofs, detail: flaws.join("; ") };
}

async function restore(http: MintHttp, journals: SwapJournal[]): Promise<RestoreOutcome> {
  const proofs: OwnedProof[] = [];
  const flaws: string[] = [];
  for (const mintUrl of new Set(journals.map((journal) => journal.mintUrl))) {
    const here = journals.filter((journal) => journal.mintUrl === mintUrl);
    const found = await findSignatures(
      http,
      mintUrl,
      here.flatMap((journal) => journal.outputs),
    );
    if (typeof found === "string") return { kind: "unknown", why: found };
    for (const journal of here) {
      const checked = await checkRestored(journal, found);
      proofs.push(...checked.proofs);
      flaws.push(...checked.flaws);
    }
  }
  if (flaws.length > 0) return { kind: "flawed", proofs, detail: flaws.join("; ") };
  return proofs.length > 0 ? { kind: "signed", proofs } : { kind: "empty" };
}

/** A swap is signed as a whole or not at all: an attempt of which the mint shows a part is flawed. */
async function checkRestored(journal: SwapJournal, found: Found) {
  const signed = journal.outputs.flatMap((output) => {
    const signature = found.get(output.B_.toLowerCase());
    return signature === undefined ? [] : [{ output, signature }];
  });
  const checked = await checkSignatures(journal.mintUrl, signed);
  if (signed.length > 0 && signed.length < journal.outputs.length) {
    checked.flaws.unshift(`${signed.length} of ${journal.outputs.length} outputs signed`);
  }
  return checked;
}

/** NUT-09. A text says why it is not known. */
async function findSignatures(
  http: MintHttp,
  mintUrl: string,
  outputs: JournaledOutput[],
): Promise<Found | string> {
  const found: Found = new Map();
  for (const batch of batches(outputs)) {
    const body = JSON.stringify({ outputs: batch.map(blindedMessage) });
    const answer = await http.post(mintUrl, "/v1/restore", body, restoreAnswerSchema);
    if (answer.kind !== "ok")
      return answer.kind === "unclear" ? answer.why : `refused with code ${answer.code}`;
    const { outputs: signedOutputs, signatures } = answer.value;
    if (signedOutputs.length !== signatures.length) return "as many outputs as signatures were to come";
    for (const [index, { B_ }] of signedOutputs.entries()) found.set(B_.toLowerCase(), signatures[index]);
  }
  return found;
}

async function inputState(http: MintHttp, mintUrl: string, ys: string[]): Promise<InputState> {
  const states = new Map<string, InputState>();
  let silent = false;
  for (const batch of batches(ys)) {
    const answer = await http.post(
      mintUrl,
      "/v1/checkstate",
      JSON.stringify({ Ys: batch }),
      stateAnswerSchema,
    );
    if (answer.kind !== "ok") {
      silent = true;
      continue;
    }
    for (const { Y, state } of answer.value.states) states.set(Y.toLowerCase(), state);
  }
  const ours = ys.map((y) => states.get(y.toLowerCase()));
  if (ours.includes("SPENT")) return "SPENT";
  if (ours.includes("PENDING")) return "PENDING";
  return !silent && ours.length > 0 && ours.every((state) => state === "UNSPENT") ? "UNSPENT" : "unknown";
}

function batches<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / BATCH) }, (_, index) =>
    all.slice(index * BATCH, (index + 1) * BATCH),
  );
}
