import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Refusal } from "../protocol/refusal.ts";
import { p2pkPublicKey } from "./curve.ts";
import { checkLocks } from "./lock-check.ts";

const NOW = 1_800_000_000;
const OURS = p2pkPublicKey("11".repeat(32));
const OTHER = p2pkPublicKey("22".repeat(32));
const THIRD = p2pkPublicKey("33".repeat(32));

function lock(data: string, tags?: string[][] | null, kind = "P2PK"): string {
  return JSON.stringify([kind, { nonce: "ab".repeat(32), data, tags }]);
}

function otherParity(key: string): string {
  return (key.startsWith("02") ? "03" : "02") + key.slice(2);
}

function refusalOf(secrets: string[]): Refusal | undefined {
  try {
    checkLocks(secrets, OURS, NOW);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

describe("checkLocks", () => {
  it.each([
    ["our key", lock(OURS, [])],
    ["our key without tags", lock(OURS)],
    ["our key with tags null", lock(OURS, null)],
    ["our key in the other parity", lock(otherParity(OURS))],
    ["our key in upper case", lock(OURS.toUpperCase())],
    ["SIG_INPUTS said aloud", lock(OURS, [["sigflag", "SIG_INPUTS"]])],
    ["1-of-2 with ours in data", lock(OURS, [["pubkeys", OTHER]])],
    [
      "1-of-3 with ours among pubkeys",
      lock(OTHER, [
        ["pubkeys", THIRD, otherParity(OURS)],
        ["n_sigs", "1"],
      ]),
    ],
    ["a locktime further ahead", lock(OURS, [["locktime", String(NOW + 601)]])],
    [
      "a locktime further ahead with refund keys",
      lock(OURS, [
        ["locktime", String(NOW + 86_400)],
        ["refund", OTHER, THIRD],
      ]),
    ],
    [
      "several refund signatures",
      lock(OURS, [
        ["locktime", String(NOW + 86_400)],
        ["refund", OTHER, THIRD],
        ["n_sigs_refund", "2"],
      ]),
    ],
  ])("accepts %s", (_, secret) => {
    expect(refusalOf([lock(OURS), secret])).toBeUndefined();
  });

  it.each([
    ["no lock", "aa".repeat(32), /not locked/],
    ["another key", lock(OTHER), /another key/],
    ["1-of-2 without ours", lock(OTHER, [["pubkeys", THIRD]]), /another key/],
    [
      "ours for refund only",
      lock(OTHER, [
        ["locktime", String(NOW + 9999)],
        ["refund", OURS],
      ]),
      /another key/,
    ],
    [
      "2-of-2",
      lock(OURS, [
        ["pubkeys", OTHER],
        ["n_sigs", "2"],
      ]),
      /more than one signature/,
    ],
    ["a hash lock", lock("ab".repeat(32), [["pubkeys", OURS]], "HTLC"), /HTLC/],
    ["another kind", lock(OURS, [], "P2XX"), /unknown way/],
    ["SIG_ALL", lock(OURS, [["sigflag", "SIG_ALL"]]), /SIG_ALL/],
    ["another sigflag", lock(OURS, [["sigflag", "SIG_NONE"]]), /malformed/],
    ["a locktime that has passed", lock(OURS, [["locktime", String(NOW - 1)]]), /passed/],
    ["a locktime of now", lock(OURS, [["locktime", String(NOW)]]), /passed/],
    ["a locktime within 10 minutes", lock(OURS, [["locktime", String(NOW + 600)]]), /within 10 minutes/],
    [
      "a passed locktime with our key for refund",
      lock(OURS, [
        ["locktime", "1"],
        ["refund", OURS],
      ]),
      /passed/,
    ],
    ["a locktime that is no number", lock(OURS, [["locktime", "soon"]]), /malformed/],
    ["a negative locktime", lock(OURS, [["locktime", "-1"]]), /malformed/],
    ["no signatures needed", lock(OURS, [["n_sigs", "0"]]), /malformed/],
    ["signatures that are no number", lock(OURS, [["n_sigs", "one"]]), /malformed/],
    [
      "more refund signatures than keys",
      lock(OURS, [
        ["locktime", String(NOW + 9999)],
        ["refund", OTHER],
        ["n_sigs_refund", "2"],
      ]),
      /malformed/,
    ],
    [
      "a doubled tag",
      lock(OURS, [
        ["n_sigs", "1"],
        ["n_sigs", "2"],
      ]),
      /malformed/,
    ],
    [
      "a doubled locktime",
      lock(OURS, [
        ["locktime", String(NOW + 9999)],
        ["locktime", "1"],
      ]),
      /malformed/,
    ],
    ["a tag without a value", lock(OURS, [["locktime"]]), /malformed/],
    ["a single tag with two values", lock(OURS, [["n_sigs", "1", "2"]]), /malformed/],
    ["an empty tag", lock(OURS, [[]]), /malformed/],
    ["a key named twice", lock(OURS, [["pubkeys", otherParity(OURS)]]), /malformed/],
    ["an unknown tag", lock(OURS, [["until", "1"]]), /unknown here/],
    ["a key of 64 characters", lock(OURS.slice(2)), /66 hex/],
    ["a foreign key that is no point", lock(OURS, [["pubkeys", `02${"ff".repeat(32)}`]]), /key that is none/],
    [
      "a number for a tag value",
      `["P2PK",{"nonce":"a","data":"${OURS}","tags":[["n_sigs",1]]}]`,
      /malformed/,
    ],
    ["a field beyond NUT-10", `["P2PK",{"nonce":"a","data":"${OURS}","also":"x"}]`, /malformed/],
    ["a doubled field", `["P2PK",{"nonce":"a","data":"${OTHER}","data":"${OURS}"}]`, /malformed/],
    ["broken JSON", `["P2PK",{"nonce":"a","data":"${OURS}"`, /malformed/],
  ])("refuses %s", (_, secret, message) => {
    const refusal = refusalOf([lock(OURS), secret]);
    expect(refusal?.reason).toBe("wrong-p2pk");
    expect(refusal?.message).toMatch(message);
    expect(refusal?.message).toContain(OURS);
  });

  it("bounds the keys of a whole token", () => {
    const secrets = Array.from({ length: 33 }, (_, i) =>
      lock(OURS, [["pubkeys", p2pkPublicKey((i + 1000).toString(16).padStart(64, "0"))]]),
    );
    expect(refusalOf(secrets.slice(0, 32))).toBeUndefined();
    expect(refusalOf(secrets)?.message).toMatch(/too many keys/);
    expect(
      refusalOf([lock(OURS, [["pubkeys", ...Array.from({ length: 17 }, () => OTHER)]])])?.message,
    ).toMatch(/malformed/);
  });

  it("throws nothing but Refusal, whatever stands in a secret", () => {
    const value = fc.oneof(
      fc.constant(OURS),
      fc.constant(OTHER),
      fc.string(),
      fc.integer(),
      fc.constant(null),
    );
    const secret = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(fc.array(value)).map((tags) => JSON.stringify(["P2PK", { nonce: "n", data: OURS, tags }])),
      fc.tuple(value, value).map(([data, nonce]) => JSON.stringify(["P2PK", { nonce, data }])),
    );
    fc.assert(fc.property(fc.array(secret), (secrets) => void refusalOf(secrets)));
  });
});

describe("p2pkPublicKey", () => {
  it("gives the key with its parity", () => {
    expect(p2pkPublicKey(`${"00".repeat(31)}01`)).toBe(
      "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    );
    expect(p2pkPublicKey(`${"00".repeat(31)}06`).slice(0, 2)).toBe("03");
  });

  it.each(["", "11", "zz".repeat(32), "00".repeat(32), "ff".repeat(32)])("refuses %s", (hex) => {
    expect(() => p2pkPublicKey(hex)).toThrow(RangeError);
  });
});
