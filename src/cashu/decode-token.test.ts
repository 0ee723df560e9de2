import { Amount, getEncodedToken, hashToCurve } from "@cashu/cashu-ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Refusal } from "../protocol/refusal.ts";
import { decodeToken } from "./decode-token.ts";

const POINT = "02698c4e2b5f9534cd0687d87513c759790cf829aa5739184a3e3735471fbda904";
const V1 = "009a1f293253e41e";
const V2 = `01${"ab".repeat(32)}`;

interface RawProof {
  amount: unknown;
  id: unknown;
  secret: unknown;
  C: unknown;
  dleq?: unknown;
}

function rawProof(change: Partial<RawProof> = {}): RawProof {
  return { amount: 8, id: V1, secret: "aa".repeat(32), C: POINT, ...change };
}

function tokenA(
  proofs: RawProof[],
  rest: Record<string, unknown> = {},
  mint: unknown = "https://mint.example",
) {
  return encodeA({ token: [{ mint, proofs }], unit: "sat", ...rest });
}

function encodeA(json: unknown): string {
  return `cashuA${Buffer.from(JSON.stringify(json)).toString("base64url")}`;
}

function refusalOf(text: string): Refusal {
  try {
    decodeToken(text);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("was taken");
}

describe("decodeToken", () => {
  it("reads cashuA and keeps unit, ids and secrets, with the mint's URL normalised", () => {
    const token = decodeToken(
      tokenA(
        [rawProof(), rawProof({ amount: 2, secret: "b", id: V2 })],
        { unit: "usd" },
        "HTTPS://Mint.Example:443/Bitcoin/",
      ),
    );
    expect(token).toMatchObject({ mintKey: "https://mint.example/Bitcoin", unit: "usd", faceSat: 10 });
    expect(token.proofs.map((proof) => proof.keysetId)).toEqual([V1, V2]);
    expect(token.ys[1]).toBe(hashToCurve(new TextEncoder().encode("b")).toHex(true));
  });

  it("reads cashuB, whose version 2 ids are shortened, without any keyset", () => {
    const encoded = getEncodedToken({
      mint: "http://127.0.0.1:3338",
      unit: "sat",
      proofs: [
        { id: V1, amount: 8, secret: "a", C: POINT },
        {
          id: V2,
          amount: 4,
          secret: "b",
          C: POINT,
          dleq: { e: "11".repeat(32), s: "22".repeat(32), r: "33".repeat(32) },
        },
      ].map((proof) => ({ ...proof, amount: Amount.from(proof.amount) })),
    });
    expect(encoded.startsWith("cashuB")).toBe(true);
    const token = decodeToken(encoded);
    expect(token.proofs.map((proof) => proof.keysetId)).toEqual([V1, V2.slice(0, 16)]);
    expect(token.proofs[1]?.dleq).toEqual({ e: "11".repeat(32), s: "22".repeat(32), r: "33".repeat(32) });
    expect(decodeToken(`cashu:${encoded}`)).toEqual(token);
  });

  it("takes unit sat where cashuA names none", () => {
    expect(decodeToken(encodeA({ token: [{ mint: "https://m.example", proofs: [rawProof()] }] })).unit).toBe(
      "sat",
    );
  });

  it.each([
    ["an empty text", ""],
    ["another prefix", "cashuC123"],
    ["no base64", "cashuA{}"],
    ["no JSON", `cashuA${Buffer.from("{").toString("base64url")}`],
    ["no CBOR", "cashuB_____w"],
    ["no proofs", tokenA([])],
    ["no entries", encodeA({ token: [] })],
    ["a zero amount", tokenA([rawProof({ amount: 0 })])],
    ["a negative amount", tokenA([rawProof({ amount: -8 })])],
    ["a fraction", tokenA([rawProof({ amount: 1.5 })])],
    ["an amount as text", tokenA([rawProof({ amount: "8" })])],
    ["an amount beyond all bitcoin", tokenA([rawProof({ amount: 2 ** 52 })])],
    [
      "a sum beyond all bitcoin",
      tokenA([rawProof({ amount: 2e15 }), rawProof({ amount: 2e15, secret: "b" })]),
    ],
    ["a doubled secret", tokenA([rawProof(), rawProof({ amount: 4 })])],
    ["a secret that is no ASCII", tokenA([rawProof({ secret: "a\ud800" })])],
    ["a secret too long", tokenA([rawProof({ secret: "a".repeat(4097) })])],
    ["a signature that is no point's form", tokenA([rawProof({ C: "04".repeat(33) })])],
    ["a mint that is no URL", tokenA([rawProof()], {}, "mint.example")],
    ["a mint with credentials", tokenA([rawProof()], {}, "https://a:b@mint.example")],
    ["a malformed dleq", tokenA([rawProof({ dleq: { e: "x", s: "y", r: "z" } })])],
    [
      "two mints",
      encodeA({
        token: [
          { mint: "https://a.example", proofs: [rawProof()] },
          { mint: "https://b.example", proofs: [rawProof({ secret: "b" })] },
        ],
      }),
    ],
  ])("refuses %s as invalid-token", (_, text) => {
    expect(refusalOf(text).reason).toBe("invalid-token");
  });

  it("takes 100 proofs and tells who sends more to swap first", () => {
    const proofs = (count: number) =>
      Array.from({ length: count }, (_, i) => rawProof({ secret: `s${i}`, amount: 1 }));
    expect(decodeToken(tokenA(proofs(100))).faceSat).toBe(100);
    expect(refusalOf(tokenA(proofs(101))).message).toContain("swap it into fewer, larger proofs first");
    expect(refusalOf(`cashuA${"a".repeat(70_000)}`).message).toContain("64 KiB");
  });

  it("drops a dleq that cannot be checked for want of its blinding factor", () => {
    const dleq = { e: "11".repeat(32), s: "22".repeat(32) };
    expect(decodeToken(tokenA([rawProof({ dleq })])).proofs[0]).not.toHaveProperty("dleq");
  });

  it("survives any bytes with a refusal that repeats none of them", () => {
    fc.assert(
      fc.property(fc.constantFrom("cashuA", "cashuB"), fc.uint8Array({ maxLength: 300 }), (prefix, bytes) => {
        const encoded = Buffer.from(bytes).toString("base64url");
        const refusal = refusalOf(prefix + encoded);
        expect(refusal.reason).toBe("invalid-token");
        expect(refusal.cause).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(refusalOf(`cashuA${Buffer.from(json).toString("base64url")}`).reason).toBe("invalid-token");
      }),
    );
  });

  it("survives CBOR nested deeper than a stack and arrays that claim more than they hold", () => {
    const deep = Buffer.alloc(40_000, 0x81);
    const boast = Buffer.from([0x9b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x01]);
    for (const bytes of [deep, boast]) {
      expect(refusalOf(`cashuB${bytes.toString("base64url")}`).reason).toBe("invalid-token");
    }
  });
});
