import { createNewMintKeys, serializeMintKeys } from "@cashu/cashu-ts";
import { describe, expect, it } from "vitest";
import { type KeysetInfo, usableKeysets, verifiedKeys } from "./keysets.ts";

function keyset(versionByte: 0 | 1, inputFeePpk = 0, finalExpiry?: number) {
  const made = createNewMintKeys(8, new Uint8Array(32).fill(7), {
    versionByte,
    input_fee_ppk: inputFeePpk,
    ...(finalExpiry === undefined ? {} : { expiry: finalExpiry }),
  });
  const info: KeysetInfo = { id: made.keysetId, active: true, inputFeePpk, finalExpiry };
  return { info, answer: { id: made.keysetId, unit: "sat", keys: serializeMintKeys(made.pubKeys) } };
}

describe("usableKeysets", () => {
  it("skips other units, old ids and malformed entries, and keeps the rest", () => {
    const v1 = { id: "009a1f293253e41e", unit: "sat", active: true, input_fee_ppk: 100 };
    const v2 = { id: `01${"ab".repeat(32)}`, unit: "sat", active: false, final_expiry: null };
    const useless = [
      { ...v1, unit: "usd" },
      { ...v1, id: "L3zxxRB/I8uE" },
      { ...v1, id: `02${"ab".repeat(32)}` },
      { ...v1, id: "../../info" },
      { ...v1, active: "yes" },
      { ...v1, input_fee_ppk: -1 },
      null,
      "009a1f293253e41e",
    ];
    expect(usableKeysets([...useless, v1, v2])).toEqual([
      { id: v1.id, active: true, inputFeePpk: 100, finalExpiry: undefined },
      { id: v2.id, active: false, inputFeePpk: 0, finalExpiry: undefined },
    ]);
  });
});

describe("verifiedKeys", () => {
  it.each([
    ["version 1", keyset(0)],
    ["version 1 with a fee, which its id does not bind", keyset(0, 100)],
    ["version 2", keyset(1)],
    ["version 2 with fee and expiry", keyset(1, 100, 2_000_000_000)],
  ])("takes keys that hash to an id of %s", (_, { info, answer }) => {
    expect(verifiedKeys(info, [null, { ...answer, id: "00" }, answer])?.get(128)).toBe(answer.keys["128"]);
  });

  it("takes no others", () => {
    for (const { info, answer } of [keyset(0), keyset(1)]) {
      const { "128": _, ...fewer } = answer.keys;
      const swapped = { ...answer.keys, "1": answer.keys["2"], "2": answer.keys["1"] };
      expect(verifiedKeys(info, [{ ...answer, keys: fewer }])).toBeUndefined();
      expect(verifiedKeys(info, [{ ...answer, keys: swapped }])).toBeUndefined();
      expect(verifiedKeys(info, [{ ...answer, keys: { one: "x" } }])).toBeUndefined();
      expect(verifiedKeys(info, [])).toBeUndefined();
    }
    const { info, answer } = keyset(1, 100);
    expect(verifiedKeys({ ...info, inputFeePpk: 200 }, [answer])).toBeUndefined();
  });
});
