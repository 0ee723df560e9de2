import {
  getPubKeyFromPrivKey,
  hashToCurve,
  OutputData,
  pointFromHex,
  schnorrSignMessage,
  unblindSignature,
  verifyDLEQProof,
  verifyDLEQProof_reblind,
} from "@cashu/cashu-ts";

/*
 * All curve arithmetic of a sale, hex in and hex out. It is what a sale costs in CPU, so callers yield to the
 * event loop between calls.
 */

export interface Dleq {
  e: string;
  s: string;
}

/** NUT-00 Y = hash_to_curve(secret), compressed, hex. */
export function hashToCurveHex(secret: string): string {
  return hashToCurve(utf8(secret)).toHex(true);
}

/** Whether `hex` is a compressed point on the curve. */
export function isPoint(hex: string): boolean {
  try {
    pointFromHex(hex);
    return true;
  } catch {
    return false;
  }
}

/**
 * Public key of a P2PK private key, 66 hex with its parity (`02`/`03`).
 * Throws `RangeError` for what is not 64 hex or not a scalar of the curve.
 */
export function p2pkPublicKey(privkeyHex: string): string {
  if (!/^[0-9a-f]{64}$/i.test(privkeyHex)) throw new RangeError("a P2PK private key is 64 hex characters");
  try {
    return Buffer.from(getPubKeyFromPrivKey(bytes(privkeyHex))).toString("hex");
  } catch {
    throw new RangeError("not a private key of secp256k1");
  }
}

/** NUT-11 witness under `SIG_INPUTS`. Schnorr keys are x-only: one signature serves both parities of the lock. */
export function signedWitness(secret: string, privkeyHex: string): string {
  return JSON.stringify({ signatures: [schnorrSignMessage(secret, privkeyHex)] });
}

export interface BlindedOutput {
  secret: string;
  blindingFactor: string;
  B_: string;
}

/** A fresh random secret, blinded (NUT-00). */
export function blindFreshSecret(amountSat: number, keysetId: string): BlindedOutput {
  const data = OutputData.createSingleRandomData(amountSat, keysetId);
  return {
    secret: new TextDecoder().decode(data.secret),
    blindingFactor: data.blindingFactor.toString(16).padStart(64, "0"),
    B_: data.blindedMessage.B_,
  };
}

/** NUT-00 C = C_ - rK. Throws when a point is none. */
export function unblind(C_: string, blindingFactor: string, mintPubkey: string): string {
  return unblindSignature(pointFromHex(C_), scalar(blindingFactor), pointFromHex(mintPubkey)).toHex(true);
}

/** NUT-12, as the mint proves it to who blinded: over `B_` and `C_`. */
export function provesSignature(dleq: Dleq, B_: string, C_: string, mintPubkey: string): boolean {
  return holds(() =>
    verifyDLEQProof(
      { e: bytes(dleq.e), s: bytes(dleq.s) },
      pointFromHex(B_),
      pointFromHex(C_),
      pointFromHex(mintPubkey),
    ),
  );
}

/** NUT-12, as a payer hands it on: over the unblinded `C`, with the blinding factor. */
export function provesProof(
  dleq: Dleq & { r: string },
  proof: { secret: string; C: string },
  mintPubkey: string,
): boolean {
  return holds(() =>
    verifyDLEQProof_reblind(
      utf8(proof.secret),
      { e: bytes(dleq.e), s: bytes(dleq.s), r: scalar(dleq.r) },
      pointFromHex(proof.C),
      pointFromHex(mintPubkey),
    ),
  );
}

/** Points and scalars that are none throw in the library: proofs that prove nothing. */
function holds(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

function scalar(hex: string): bigint {
  return BigInt(`0x${hex}`);
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
