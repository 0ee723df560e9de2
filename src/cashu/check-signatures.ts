import { setImmediate as letOthersRun } from "node:timers/promises";
import * as z from "zod";
import type { JournaledOutput, OwnedProof } from "../sales/ports.ts";
import { hashToCurveHex, provesSignature, unblind } from "./curve.ts";

const scalar = z.string().regex(/^[0-9a-f]{64}$/i);

const termsSchema = z.object({ id: z.string(), amount: z.number() });

/** NUT-00 BlindSignature with NUT-12's proof. */
const signatureSchema = z.object({
  id: z.string(),
  amount: z.number().int(),
  C_: z.string().regex(/^0[23][0-9a-f]{64}$/i),
  dleq: z.object({ e: scalar, s: scalar }).nullish(),
});

export interface SignedOutput {
  output: JournaledOutput;
  /** As the mint answered it, still unchecked. */
  signature: unknown;
}

export interface CheckedSignatures {
  proofs: OwnedProof[];
  /** What was wrong with the others, in words without a secret. */
  flaws: string[];
}

/**
 * Mints answer in the order of the outputs (NUT-03). Where one leaves some out, the order says nothing any more, and
 * amount and keyset do: what it left out must not spoil what it gave.
 */
export function pairSignatures(
  outputs: JournaledOutput[],
  signatures: unknown[],
): { signed: SignedOutput[]; flaws: string[] } {
  const flaws =
    signatures.length === outputs.length
      ? []
      : [`${signatures.length} signatures for ${outputs.length} outputs`];
  const signed =
    signatures.length < outputs.length
      ? pairByTerms(outputs, signatures)
      : outputs.map((output, index) => ({ output, signature: signatures[index] }));
  return { signed, flaws };
}

function pairByTerms(outputs: JournaledOutput[], signatures: unknown[]): SignedOutput[] {
  const left = signatures.map((signature) => ({ signature, terms: termsSchema.safeParse(signature).data }));
  return outputs.flatMap((output) => {
    const found = left.findIndex(
      ({ terms }) =>
        terms?.amount === output.amountSat && terms.id.toLowerCase() === output.keysetId.toLowerCase(),
    );
    const [taken] = found < 0 ? [] : left.splice(found, 1);
    return taken ? [{ output, signature: taken.signature }] : [];
  });
}

/**
 * Checks each signature against the journal's own amount, keyset and key, and unblinds the good ones.
 * Mints from before NUT-12 send no proof of their signature; theirs cannot be checked without them and are taken
 * as they come: the loss would show when the operator spends them.
 */
export async function checkSignatures(mintUrl: string, signed: SignedOutput[]): Promise<CheckedSignatures> {
  const proofs: OwnedProof[] = [];
  const flaws: string[] = [];
  for (const [index, { output, signature }] of signed.entries()) {
    await letOthersRun();
    const proof = ownedProof(mintUrl, output, signature);
    if (typeof proof === "string") flaws.push(`signature ${index + 1} of ${signed.length}: ${proof}`);
    else proofs.push(proof);
  }
  return { proofs, flaws };
}

function ownedProof(mintUrl: string, output: JournaledOutput, signature: unknown): OwnedProof | string {
  const parsed = signatureSchema.safeParse(signature);
  if (!parsed.success) return "malformed";
  const { id, amount, C_, dleq } = parsed.data;
  if (amount !== output.amountSat) return `${amount} sat instead of ${output.amountSat}`;
  if (id.toLowerCase() !== output.keysetId.toLowerCase()) return "another keyset";
  if (dleq && !provesSignature(dleq, output.B_, C_, output.mintPubkey))
    return "not by the mint's key (NUT-12)";
  const C = unblindedOrUndefined(C_, output);
  if (C === undefined) return "no point";
  return {
    y: hashToCurveHex(output.secret),
    mintUrl,
    keysetId: output.keysetId,
    amountSat: output.amountSat,
    secret: output.secret,
    C,
    ...(dleq ? { dleq: { e: dleq.e, s: dleq.s, r: output.blindingFactor } } : {}),
  };
}

function unblindedOrUndefined(C_: string, output: JournaledOutput): string | undefined {
  try {
    return unblind(C_, output.blindingFactor, output.mintPubkey);
  } catch {
    return undefined;
  }
}
