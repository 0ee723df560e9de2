import { setImmediate as letOthersRun } from "node:timers/promises";
import { Refusal } from "../protocol/refusal.ts";
import type { DecodedToken, JournaledOutput, SwapJournal, TokenProof } from "../sales/ports.ts";
import {
  type BlindedOutput,
  blindFreshSecret,
  blindLockedSecret,
  isPoint,
  provesProof,
  signedWitness,
} from "./curve.ts";
import { bearableFeeSat, inputFeeSat } from "./fee.ts";
import type { KeysetInfo, MintKeys } from "./keysets.ts";
import type { KnownKeysets } from "./known-keysets.ts";
import { type PlannedOutput, planOutputs } from "./plan-outputs.ts";
import type { PreparingSlots } from "./preparing-slots.ts";
import { journaledInputs, type SwapInput, swapBody } from "./swap-journal.ts";

/** Each keyset that is new to us is a request to the mint. */
const MAX_KEYSETS_PER_TOKEN = 8;

export interface SwapPreparation {
  /** As configured. */
  mintUrl: string;
  privkeyHex: string;
  maxFeeSat: number;
  keysets: KnownKeysets;
  slots: PreparingSlots;
}

interface Input {
  proof: TokenProof;
  keysetId: string;
  mintPubkey: string;
}

/** Throws `Refusal` `invalid-token`, `amount-mismatch` (fee), `mint-unreachable`; nothing is spent by then. */
export async function prepareSwap(preparation: SwapPreparation, token: DecodedToken): Promise<SwapJournal> {
  return prepare(preparation, token, {
    checkFee: (feeSat) => refuseUnbearableFee(feeSat, token, preparation.maxFeeSat),
    blind: blindFreshSecret,
  });
}

/**
 * Outputs that are another's: of whoever has them, or of the owner of `lockedTo`. He bears the mint's fee. Throws as
 * `prepareSwap` does.
 */
export async function prepareRefund(
  preparation: SwapPreparation,
  token: DecodedToken,
  lockedTo: string | undefined,
): Promise<SwapJournal> {
  return prepare(preparation, token, {
    checkFee: (feeSat) => {
      if (feeSat >= token.faceSat)
        throw new Refusal("amount-mismatch", "the mint's fee is all that the token is worth");
    },
    blind: () => (lockedTo === undefined ? blindFreshSecret() : blindLockedSecret(lockedTo)),
  });
}

interface Ends {
  checkFee: (feeSat: number) => void;
  blind: () => BlindedOutput;
}

async function prepare(
  { mintUrl, keysets, slots, privkeyHex }: SwapPreparation,
  token: DecodedToken,
  { checkFee, blind }: Ends,
): Promise<SwapJournal> {
  const infos = await inputKeysets(keysets, token);
  const inputs = await findKeys(keysets, token, infos);
  const feeSat = inputFeeSat(infos.map((info) => info.inputFeePpk));
  checkFee(feeSat);
  const planned = planOnCheapestKeyset(keysets, token.faceSat - feeSat);
  if (planned === undefined) throw unreachable("the mint has no keyset that could sign");
  return slots(async () => {
    const signed: SwapInput[] = [];
    for (const input of inputs) {
      await letOthersRun();
      checkSignature(input);
      signed.push(signInput(input, privkeyHex));
    }
    return journal(mintUrl, signed, await blindAll(planned, blind), token.ys, feeSat);
  });
}

/**
 * The same signed inputs with fresh outputs on today's keyset, fees as they are today. `undefined` when the mint is
 * silent or the fee is not bearable any more.
 */
export async function renewSwap(
  preparation: SwapPreparation,
  old: SwapJournal,
): Promise<SwapJournal | undefined> {
  const { mintUrl, keysets, slots, maxFeeSat } = preparation;
  if (!(await keysets.refresh())) return undefined;
  const inputs = journaledInputs(old);
  const infos = inputs.map((input) => keysets.find(input.id)).filter((info) => typeof info === "object");
  if (infos.length !== inputs.length) return undefined;
  const faceSat = inputs.reduce((sum, input) => sum + input.amount, 0);
  const feeSat = inputFeeSat(infos.map((info) => info.inputFeePpk));
  if (feeSat > bearableFeeSat(faceSat, maxFeeSat)) return undefined;
  const planned = planOnCheapestKeyset(keysets, faceSat - feeSat);
  if (planned === undefined) return undefined;
  return slots(async () => journal(mintUrl, inputs, await blindAll(planned), old.inputYs, feeSat));
}

/** The keyset of each proof, in the order of the proofs. */
async function inputKeysets(keysets: KnownKeysets, token: DecodedToken): Promise<KeysetInfo[]> {
  const ids = [...new Set(token.proofs.map((proof) => proof.keysetId))];
  if (ids.length > MAX_KEYSETS_PER_TOKEN) {
    throw invalid("the token mixes too many keysets: swap it into fewer, larger proofs first");
  }
  if (ids.some((id) => keysets.find(id) === undefined) && !(await keysets.refreshForUnknownId())) {
    throw unreachable("the mint does not answer");
  }
  return token.proofs.map((proof) => {
    const info = keysets.find(proof.keysetId);
    if (info === "ambiguous")
      throw invalid("the token's shortened keyset id fits several keysets: send full ids");
    if (info === undefined) throw invalid("the token names a keyset that its mint does not have for sat");
    return info;
  });
}

async function findKeys(keysets: KnownKeysets, token: DecodedToken, infos: KeysetInfo[]): Promise<Input[]> {
  const keysById = new Map<string, MintKeys>();
  await Promise.all(
    [...new Set(infos)].map(async (info) => {
      const keys = await keysets.keysOf(info);
      if (keys === "silent") throw unreachable("the mint does not answer");
      if (keys === "unusable") throw invalid("the token's keyset has no keys that fit its id");
      keysById.set(info.id, keys);
    }),
  );
  return token.proofs.map((proof, index) => {
    const keysetId = infos[index]?.id ?? proof.keysetId;
    const mintPubkey = keysById.get(keysetId)?.get(proof.amountSat);
    if (mintPubkey === undefined)
      throw invalid(`the token's keyset has no key for a proof of ${proof.amountSat} sat`);
    return { proof, keysetId, mintPubkey };
  });
}

function refuseUnbearableFee(feeSat: number, token: DecodedToken, maxFeeSat: number): void {
  const bearableSat = bearableFeeSat(token.faceSat, maxFeeSat);
  if (feeSat <= bearableSat) return;
  throw new Refusal(
    "amount-mismatch",
    `the mint takes ${feeSat} sat to swap these ${token.proofs.length} proofs, of which at most ${bearableSat} sat ` +
      `are borne (a fifth of the amount, ${maxFeeSat} sat at most): pay with fewer, larger proofs`,
  );
}

function planOnCheapestKeyset(keysets: KnownKeysets, amountSat: number): PlannedOutput[] | undefined {
  for (const { info, keys } of keysets.forOutputs()) {
    const planned = planOutputs(amountSat, info, keys);
    if (planned?.every((output) => isPoint(output.mintPubkey))) return planned;
  }
  return undefined;
}

/** NUT-12, when the token carries it: what is forged need not trouble the mint. */
function checkSignature({ proof, mintPubkey }: Input): void {
  if (!isPoint(proof.C)) throw invalid("a proof's signature is no point");
  if (proof.dleq && !provesProof(proof.dleq, proof, mintPubkey)) {
    throw invalid("a proof's signature is not the mint's (NUT-12)");
  }
}

/** No field beyond these: a `dleq` would tell the mint the blinding factor, and with it who paid whom. */
function signInput({ proof, keysetId }: Input, privkeyHex: string): SwapInput {
  return {
    amount: proof.amountSat,
    id: keysetId,
    secret: proof.secret,
    C: proof.C,
    witness: signedWitness(proof.secret, privkeyHex),
  };
}

async function blindAll(
  planned: PlannedOutput[],
  blind: () => BlindedOutput = blindFreshSecret,
): Promise<JournaledOutput[]> {
  const outputs: JournaledOutput[] = [];
  for (const output of planned) {
    await letOthersRun();
    outputs.push({ ...output, ...blind() });
  }
  return outputs;
}

function journal(
  mintUrl: string,
  inputs: SwapInput[],
  outputs: JournaledOutput[],
  inputYs: string[],
  feeSat: number,
): SwapJournal {
  return { version: 1, mintUrl, body: swapBody(inputs, outputs), outputs, inputYs: [...inputYs], feeSat };
}

function invalid(message: string): Refusal {
  return new Refusal("invalid-token", message);
}

function unreachable(message: string): Refusal {
  return new Refusal("mint-unreachable", `${message}; nothing was spent`, { retryAfterSeconds: 30 });
}
