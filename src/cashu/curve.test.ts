import { randomBytes } from "node:crypto";
import {
  blindMessage,
  createDLEQProof,
  hashToCurve,
  pointFromHex,
  schnorrVerifyMessage,
  unblindSignature,
  verifyDLEQProof,
  verifyDLEQProof_reblind,
} from "@cashu/cashu-ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blind,
  blindFreshSecret,
  type Dleq,
  hashToCurveHex,
  isPoint,
  p2pkPublicKey,
  provesProof,
  provesSignature,
  signedWitness,
  unblind,
} from "./curve.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const ORDER_HEX = ORDER.toString(16);
const ZERO = "0".repeat(64);
const G = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
/** Of the right form, with an x that no point has. */
const NO_POINT = `02${"0".repeat(63)}5`;

const scalarHex = fc
  .bigInt({ min: 1n, max: ORDER - 1n })
  .map((scalar) => scalar.toString(16).padStart(64, "0"));
const secretText = fc.string({ unit: "binary", maxLength: 200 });

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

/** What a mint with this key answers, by cashu-ts. */
function signedByMint(B_: string, mintKey: string): { C_: string; dleq: Dleq } {
  const C_ = pointFromHex(B_)
    .multiply(BigInt(`0x${mintKey}`))
    .toHex(true);
  const { e, s } = createDLEQProof(pointFromHex(B_), bytes(mintKey));
  return { C_, dleq: { e: hex(e), s: hex(s) } };
}

describe("the vectors of the NUTs", () => {
  it.each([
    [0, "024cce997d3b518f739663b757deaec95bcd9473c30a14ac2fd04023a739d1a725"],
    [1, "022e7158e11c9506f1aa4248bf531298daa7febd6194f003edcd9b93ade6253acf"],
    [2, "026cdbe15362df59cd1dd3c9c11de8aedac2106eca69236ecd9fbe117af897be4f"],
  ])("NUT-00: hash to curve, %i", (last, point) => {
    expect(hashToCurveHex(String.fromCharCode(...new Array<number>(31).fill(0), last))).toBe(point);
  });

  it.each([
    [
      "d341ee4871f1f889041e63cf0d3823c713eea6aff01e80f1719f08f9e5be98f6",
      "99fce58439fc37412ab3468b73db0569322588f62fb3a49182d67e23d877824a",
      "033b1a9737a40cc3fd9b6af4b723632b76a67a36782596304612a6c2bfb5197e6d",
    ],
    [
      "f1aaf16c2239746f369572c0784d9dd3d032d952c2d992175873fb58fae31a60",
      "f78476ea7cc9ade20f9e05e58a804cf19533f03ea805ece5fee88c8e2874ba50",
      "029bdf2d716ee366eddf599ba252786c1033f47e230248a4612a5670ab931f1763",
    ],
  ])("NUT-00: blinded message %#", (x, r, B_) => {
    expect(blind(bytes(x), r)).toBe(B_);
  });

  it("NUT-12: a blind signature's proof", () => {
    const B_ = "02a9acc1e48c25eeeb9289b5031cc57da9fe72f3fe2861d264bdc074209b107ba2";
    const dleq = {
      e: "9818e061ee51d5c8edc3342369a554998ff7b4381c8652d724cdf46429be73d9",
      s: "9818e061ee51d5c8edc3342369a554998ff7b4381c8652d724cdf46429be73da",
    };
    expect(provesSignature(dleq, B_, B_, G)).toBe(true);
    const second = {
      e: "be53688e1952a916726cf4f031584404c6a79b32ccf0b58f3db9a46794abc1dc",
      s: "1d6ecdf7ca128c90f65bd64e1f894fad985be8af6b350fece5ca4e9e259a54ad",
    };
    const C_ = "0244eccfc7a348274458bb38044c7f3c389b3c2086c7ec18b5812d2877ab937787";
    expect(provesSignature(second, B_, C_, p2pkPublicKey(`${"0".repeat(63)}2`))).toBe(true);
    expect(provesSignature(second, B_, C_, G)).toBe(false);
  });

  it("NUT-12: a proof's proof", () => {
    const proof = {
      secret: "daf4dd00a2b68a0858a80450f52c8a7d2ccf87d375e43e216e0c571f089f63e9",
      C: "024369d2d22a80ecf78f3937da9d5f30c1b9f74f0c32684d583cca0fa6a61cdcfc",
    };
    const dleq = {
      e: "b31e58ac6527f34975ffab13e70a48b6d2b0d35abc4b03f0151f09ee1a9763d4",
      s: "8fbae004c59e754d71df67e392b6ae4e29293113ddc2ec86592a0431d16306d8",
      r: "a6d13fcd7a18442e6076f5e1e7c887ad5de40a019824bdfa9fe740d302e8d861",
    };
    expect(provesProof(dleq, proof, G)).toBe(true);
    expect(provesProof(dleq, { ...proof, secret: `${proof.secret}0` }, G)).toBe(false);
  });

  it("NUT-11: a witness signs the SHA-256 of the very secret, and no other", () => {
    const privkey = randomBytes(32).toString("hex");
    const secret = (nonce: string) =>
      `["P2PK",{"nonce":"${nonce}","data":"${p2pkPublicKey(privkey)}","tags":[["sigflag","SIG_INPUTS"]]}]`;
    const witness = JSON.parse(signedWitness(secret("859d4935"), privkey));
    expect(witness).toEqual({ signatures: [expect.stringMatching(/^[0-9a-f]{128}$/)] });
    const [signature] = witness.signatures;
    expect(schnorrVerifyMessage(signature, secret("859d4935"), p2pkPublicKey(privkey))).toBe(true);
    expect(schnorrVerifyMessage(signature, secret("0ed3fcb2"), p2pkPublicKey(privkey))).toBe(false);
  });
});

describe("equal to cashu-ts", () => {
  it("in points, blinding and unblinding", () => {
    fc.assert(
      fc.property(secretText, scalarHex, scalarHex, (secret, r, mintKey) => {
        const theirs = blindMessage(utf8(secret), BigInt(`0x${r}`));
        expect(hashToCurveHex(secret)).toBe(hashToCurve(utf8(secret)).toHex(true));
        const B_ = blind(secret, r);
        expect(B_).toBe(theirs.B_.toHex(true));
        const K = p2pkPublicKey(mintKey);
        const { C_ } = signedByMint(B_, mintKey);
        const C = unblindSignature(pointFromHex(C_), theirs.r, pointFromHex(K)).toHex(true);
        expect(unblind(C_, r, K)).toBe(C);
      }),
      { numRuns: 40 },
    );
  });

  it("in what it believes of a proof, right or changed in one place", () => {
    const change = fc.record({ field: fc.constantFrom("e", "s", "r", "C", "K", "none"), scalar: scalarHex });
    fc.assert(
      fc.property(secretText, scalarHex, scalarHex, change, (secret, r, mintKey, { field, scalar }) => {
        const B_ = blind(secret, r);
        const signed = signedByMint(B_, mintKey);
        const { e: rightE, s: rightS } = signed.dleq;
        fc.pre(![r, mintKey, rightE, rightS].includes(scalar) && p2pkPublicKey(scalar) !== signed.C_);
        const other = (name: string, value: string, wrong: string) => (name === field ? wrong : value);
        const e = other("e", signed.dleq.e, scalar);
        const s = other("s", signed.dleq.s, scalar);
        const C_ = other("C", signed.C_, p2pkPublicKey(scalar));
        const K = p2pkPublicKey(other("K", mintKey, scalar));
        const dleq = { e: bytes(e), s: bytes(s) };
        const believed = verifyDLEQProof(dleq, pointFromHex(B_), pointFromHex(C_), pointFromHex(K));
        expect(provesSignature({ e, s }, B_, C_, K)).toBe(believed);
        if (field !== "r") expect(believed).toBe(field === "none");

        const C = unblind(C_, r, p2pkPublicKey(mintKey));
        const handedOn = other("r", r, scalar);
        const reblinded = { ...dleq, r: BigInt(`0x${handedOn}`) };
        const proven = verifyDLEQProof_reblind(utf8(secret), reblinded, pointFromHex(C), pointFromHex(K));
        expect(provesProof({ e, s, r: handedOn }, { secret, C }, K)).toBe(proven);
        expect(proven).toBe(field === "none");
      }),
      { numRuns: 40 },
    );
  });

  it("in a fresh secret's form", () => {
    const fresh = blindFreshSecret();
    expect(fresh.secret).toMatch(/^[0-9a-f]{64}$/);
    expect(fresh.blindingFactor).toMatch(/^[0-9a-f]{64}$/);
    const theirs = blindMessage(utf8(fresh.secret), BigInt(`0x${fresh.blindingFactor}`));
    expect(fresh.B_).toBe(theirs.B_.toHex(true));
    expect(blindFreshSecret()).not.toEqual(fresh);
  });
});

describe("refused", () => {
  const other = p2pkPublicKey("11".repeat(32));

  it.each([
    ["an empty text", ""],
    ["an x that no point has", NO_POINT],
    ["an x beyond the field", `02${"f".repeat(64)}`],
    ["infinity", "00"],
    ["infinity, padded", "00".repeat(33)],
    ["another prefix", `05${G.slice(2)}`],
    [
      "a hybrid encoding",
      `06${"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"}${"48".repeat(32)}`,
    ],
    ["an uncompressed point", pointFromHex(G).toHex(false)],
    ["an x-only key", G.slice(2)],
    ["a point too long", `${G}00`],
    ["no hex", `02${"zz".repeat(32)}`],
  ])("as a point: %s", (_, text) => {
    expect(isPoint(text)).toBe(false);
    expect(() => unblind(text, "11".repeat(32), other)).toThrow(RangeError);
    expect(() => unblind(other, "11".repeat(32), text)).toThrow(RangeError);
    const dleq = { e: "11".repeat(32), s: "22".repeat(32), r: "33".repeat(32) };
    expect(provesSignature(dleq, text, other, other)).toBe(false);
    expect(provesSignature(dleq, other, text, other)).toBe(false);
    expect(provesSignature(dleq, other, other, text)).toBe(false);
    expect(provesProof(dleq, { secret: "s", C: text }, other)).toBe(false);
    expect(provesProof(dleq, { secret: "s", C: other }, text)).toBe(false);
  });

  it.each([
    ["zero", ZERO],
    ["the order", ORDER_HEX],
    ["beyond the order", "f".repeat(64)],
    ["too short", "11"],
    ["no hex", "zz".repeat(32)],
  ])("as a scalar: %s", (_, text) => {
    expect(() => p2pkPublicKey(text)).toThrow(RangeError);
    expect(() => signedWitness("s", text)).toThrow(RangeError);
    expect(() => blind("s", text)).toThrow(RangeError);
    expect(() => unblind(other, text, other)).toThrow(RangeError);
    const right = { e: "11".repeat(32), s: "22".repeat(32), r: "33".repeat(32) };
    for (const field of ["e", "s", "r"]) {
      const dleq = { ...right, [field]: text };
      expect(provesProof(dleq, { secret: "s", C: other }, other)).toBe(false);
      if (field !== "r") expect(provesSignature(dleq, other, other, other)).toBe(false);
    }
  });

  it("where the result would be infinity", () => {
    const r = "11".repeat(32);
    expect(() => unblind(p2pkPublicKey(r), r, G)).toThrow(RangeError);
    // sG - eG, and with it both sums.
    expect(provesSignature({ e: r, s: r }, other, other, G)).toBe(false);
  });

  it("as often as anybody likes, and what is right stays right", () => {
    const proof = { secret: "s", C: NO_POINT };
    const dleq = { e: "11".repeat(32), s: "22".repeat(32), r: "33".repeat(32) };
    for (let count = 0; count < 5_000; count += 1) {
      expect(provesProof(dleq, proof, G)).toBe(false);
      expect(provesSignature(dleq, NO_POINT, G, NO_POINT)).toBe(false);
      expect(() => unblind(NO_POINT, dleq.r, NO_POINT)).toThrow();
      expect(isPoint(NO_POINT)).toBe(false);
    }
    expect(unblind(other, dleq.r, G)).toMatch(/^0[23]/);
  });
});
