import { createHash, randomBytes } from "node:crypto";
import {
  isPointCompressed,
  isPrivate,
  pointAdd,
  pointCompress,
  pointFromScalar,
  pointMultiply,
  privateNegate,
  signSchnorr,
} from "tiny-secp256k1";

/*
 * All curve arithmetic of a sale, hex in and hex out (docs/adr/0009). It is most of a sale's CPU, so callers yield to
 * the event loop between calls.
 *
 * No point that a stranger sent may reach the library's arithmetic unasked: its WASM does not give its stack back when
 * it throws, and some thousands of bad points would leave it broken until the next start. `isPointCompressed` throws
 * nothing.
 */

export interface Dleq {
  e: string;
  s: string;
}

type Bytes = Uint8Array;

const HASH_TO_CURVE_DOMAIN = "Secp256k1_HashToCurve_Cashu_";

/** NUT-00 Y = hash_to_curve(secret), compressed, hex. */
export function hashToCurveHex(secret: string): string {
  return hex(hashToCurve(secret));
}

function hashToCurve(secret: string | Bytes): Bytes {
  const message = sha256(HASH_TO_CURVE_DOMAIN, secret);
  const counter = Buffer.alloc(4);
  for (let attempt = 0; ; attempt += 1) {
    counter.writeUInt32LE(attempt);
    const candidate = Buffer.concat([Buffer.of(2), sha256(message, counter)]);
    if (isPointCompressed(candidate)) return candidate;
  }
}

/** Whether `text` is a compressed point on the curve. */
export function isPoint(text: string): boolean {
  return /^0[23][0-9a-f]{64}$/i.test(text) && isPointCompressed(Buffer.from(text, "hex"));
}

/**
 * Public key of a P2PK private key, 66 hex with its parity (`02`/`03`).
 * Throws `RangeError` for what is not 64 hex or not a scalar of the curve.
 */
export function p2pkPublicKey(privkeyHex: string): string {
  return hex(compressed(timesBase(scalar(privkeyHex))));
}

/** NUT-11 witness under `SIG_INPUTS`. Schnorr keys are x-only: one signature serves both parities of the lock. */
export function signedWitness(secret: string, privkeyHex: string): string {
  return JSON.stringify({
    signatures: [hex(signSchnorr(sha256(secret), scalar(privkeyHex), randomBytes(32)))],
  });
}

export interface BlindedOutput {
  secret: string;
  blindingFactor: string;
  B_: string;
}

/** A fresh random secret, blinded (NUT-00). */
export function blindFreshSecret(): BlindedOutput {
  return blindSecret(randomBytes(32).toString("hex"));
}

/** A secret that only the owner of this key can spend (NUT-11). */
export function blindLockedSecret(pubkeyHex: string): BlindedOutput {
  const nonce = randomBytes(32).toString("hex");
  return blindSecret(JSON.stringify(["P2PK", { nonce, data: pubkeyHex, tags: [["sigflag", "SIG_INPUTS"]] }]));
}

function blindSecret(secret: string): BlindedOutput {
  const blindingFactor = hex(randomScalar());
  return { secret, blindingFactor, B_: blind(secret, blindingFactor) };
}

/** NUT-00 B_ = Y + rG. */
export function blind(secret: string | Bytes, blindingFactor: string): string {
  return hex(compressed(blinded(secret, scalar(blindingFactor))));
}

/** NUT-00 C = C_ - rK. Throws when a point is none. */
export function unblind(C_: string, blindingFactor: string, mintPubkey: string): string {
  return hex(compressed(plus(point(C_), times(point(mintPubkey), privateNegate(scalar(blindingFactor))))));
}

/** NUT-12, as the mint proves it to who blinded: over `B_` and `C_`. */
export function provesSignature(dleq: Dleq, B_: string, C_: string, mintPubkey: string): boolean {
  return holds(() => proves(dleq, point(B_), decoded(point(C_)), decoded(point(mintPubkey))));
}

/** NUT-12, as a payer hands it on: over the unblinded `C`, with the blinding factor. */
export function provesProof(
  dleq: Dleq & { r: string },
  proof: { secret: string; C: string },
  mintPubkey: string,
): boolean {
  return holds(() => {
    const r = scalar(dleq.r);
    const K = decoded(point(mintPubkey));
    return proves(dleq, blinded(proof.secret, r), plus(point(proof.C), times(K, r)), K);
  });
}

/** NUT-12: e == hash(sG - eK, sB_ - eC_, K, C_). All but `B_` uncompressed, as they are hashed. */
function proves(dleq: Dleq, B_: Bytes, C_: Bytes, K: Bytes): boolean {
  const s = scalar(dleq.s);
  const e = scalar(dleq.e);
  const minusE = privateNegate(e);
  const R1 = plus(timesBase(s), times(K, minusE));
  const R2 = plus(times(B_, s), times(C_, minusE));
  return sha256(...[R1, R2, K, C_].map(hex)).equals(e);
}

/** The base is multiplied in constant time, as the library's "add a scalar to a point" is not. */
function blinded(secret: string | Bytes, r: Bytes): Bytes {
  return plus(hashToCurve(secret), timesBase(r));
}

/** Points and scalars that are none throw: proofs that prove nothing. */
function holds(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

/** Throws `RangeError`, as all below do for what is no point, no scalar, or infinity. */
function point(text: string): Bytes {
  if (!isPoint(text)) throw new RangeError("not a point of secp256k1");
  return Buffer.from(text, "hex");
}

function scalar(text: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new RangeError("a scalar is 64 hex characters");
  const bytes = Buffer.from(text, "hex");
  if (!isPrivate(bytes)) throw new RangeError("not a scalar of secp256k1");
  return bytes;
}

function randomScalar(): Buffer {
  for (;;) {
    const bytes = randomBytes(32);
    if (isPrivate(bytes)) return bytes;
  }
}

/** Points between two steps stay uncompressed: to read a compressed one takes a square root. */
function times(base: Bytes, factor: Bytes): Bytes {
  return finite(pointMultiply(base, factor, false));
}

function timesBase(factor: Bytes): Bytes {
  return finite(pointFromScalar(factor, false));
}

function plus(one: Bytes, other: Bytes): Bytes {
  return finite(pointAdd(one, other, false));
}

function finite(result: Bytes | null): Bytes {
  if (result === null) throw new RangeError("the point at infinity");
  return result;
}

function compressed(any: Bytes): Bytes {
  return pointCompress(any, true);
}

/** What is used more than once is decoded once. */
function decoded(any: Bytes): Bytes {
  return pointCompress(any, false);
}

/** Texts by their UTF-8. */
function sha256(...parts: (string | Bytes)[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function hex(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
