import { randomBytes } from "node:crypto";
import { createBlindSignature, pointFromHex } from "@cashu/cashu-ts";
import type { Fault, SignatureFlaw } from "./mint-faults.ts";
import type { MintLedger } from "./mint-ledger.ts";
import { type BlindSignature, swapBody } from "./mint-messages.ts";
import type { MintAnswer } from "./mint-routes.ts";

/** The answer to a swap with flawed signatures; with `lasting`, they are also what the mint remembers. */
export function spoilAnswer(
  ledger: MintLedger,
  answer: MintAnswer,
  rawBody: string,
  fault: Fault & { kind: "flawed" },
): MintAnswer {
  if (answer.status !== 200 || !hasSignatures(answer.body)) return answer;
  const honest = answer.body.signatures;
  const signatures = spoilSignatures(honest, fault.flaw);
  if (fault.lasting) {
    const { outputs } = swapBody.parse(JSON.parse(rawBody));
    const kept = fault.flaw === "too-few" ? [undefined, ...signatures] : signatures;
    for (const [index, { B_ }] of outputs.entries()) ledger.overwriteSignature(B_, kept[index]);
  }
  return { status: 200, body: { signatures } };
}

/** One flaw in the first signature, or in how many there are. */
function spoilSignatures(signatures: readonly BlindSignature[], flaw: SignatureFlaw): BlindSignature[] {
  const [first, ...rest] = signatures;
  if (!first) return [];
  switch (flaw) {
    case "too-few":
      return rest;
    case "too-many":
      return [...signatures, first];
    case "wrong-amount":
      return [{ ...first, amount: first.amount * 2 }, ...rest];
    case "wrong-keyset":
      return [{ ...first, id: `00${randomBytes(7).toString("hex")}` }, ...rest];
    case "invalid-signature":
      return [{ ...first, C_: signedByAnotherKey(first) }, ...rest];
    case "no-dleq": {
      const { dleq: _, ...bare } = first;
      return [bare, ...rest];
    }
  }
}

function signedByAnotherKey({ C_, id }: BlindSignature): string {
  return createBlindSignature(pointFromHex(C_), randomBytes(32), id).C_.toHex(true);
}

function hasSignatures(body: unknown): body is { signatures: BlindSignature[] } {
  return typeof body === "object" && body !== null && "signatures" in body && Array.isArray(body.signatures);
}
