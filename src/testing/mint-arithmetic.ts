import {
  createBlindSignature,
  createDLEQProof,
  hashToCurve,
  isP2PKSpendAuthorised,
  type Proof,
  pointFromHex,
  verifyUnblindedSignature,
} from "@cashu/cashu-ts";

/** A mint's curve work (NUT-00, NUT-11, NUT-12), hex in and hex out. But for `isPoint`, points were checked before. */
export interface MintArithmetic {
  isPoint(text: string): boolean;
  /** NUT-00 hash_to_curve. */
  yOf(secret: string): string;
  /** NUT-11, of a proof alone. */
  isUnlocked(proof: Proof): boolean;
  sign(B_: string, privateKey: Uint8Array): { C_: string; dleq: { e: string; s: string } };
  isSigned(proof: { secret: string; C: string }, privateKey: Uint8Array): boolean;
}

export const arithmeticOfCashuTs: MintArithmetic = {
  isPoint(text) {
    try {
      pointFromHex(text);
      return true;
    } catch {
      return false;
    }
  },
  yOf: (secret) => hashToCurve(new TextEncoder().encode(secret)).toHex(true),
  isUnlocked: (proof) => isP2PKSpendAuthorised(proof),
  sign(B_, privateKey) {
    const point = pointFromHex(B_);
    const { e, s } = createDLEQProof(point, privateKey);
    const { C_ } = createBlindSignature(point, privateKey, "");
    return { C_: C_.toHex(true), dleq: { e: toHex(e), s: toHex(s) } };
  },
  isSigned({ secret, C }, privateKey) {
    const unblinded = { C: pointFromHex(C), secret: new TextEncoder().encode(secret), id: "" };
    return verifyUnblindedSignature(unblinded, privateKey);
  },
};

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
