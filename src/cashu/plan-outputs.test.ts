import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bearableFeeSat, inputFeeSat } from "./fee.ts";
import { planOutputs } from "./plan-outputs.ts";

const info = { id: "009a1f293253e41e", active: true, inputFeePpk: 0, finalExpiry: undefined };
const powers = new Map(Array.from({ length: 50 }, (_, i): [number, string] => [2 ** i, `key ${i}`]));

describe("planOutputs", () => {
  it("splits any amount into its powers of two, ascending, each with its key", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_100_000_000_000_000 }), (amountSat) => {
        const planned = planOutputs(amountSat, info, powers) ?? [];
        const amounts = planned.map((output) => output.amountSat);
        expect(amounts.reduce((sum, amount) => sum + amount, 0)).toBe(amountSat);
        if (amountSat < 2 ** 50) expect(new Set(amounts).size).toBe(amounts.length);
        expect(amounts).toEqual([...amounts].sort((a, b) => a - b));
        for (const output of planned) expect(output.mintPubkey).toBe(powers.get(output.amountSat));
      }),
    );
  });

  it("gives nothing where the keyset cannot make the amount, or only in a heap of proofs", () => {
    expect(planOutputs(5, info, new Map([[2, "key"]]))).toBeUndefined();
    expect(planOutputs(101, info, new Map([[1, "key"]]))).toBeUndefined();
    expect(planOutputs(5, info, new Map())).toBeUndefined();
    expect(planOutputs(0, info, powers)).toBeUndefined();
  });
});

describe("fees", () => {
  it("sum over all inputs before they are rounded up", () => {
    expect(inputFeeSat([])).toBe(0);
    expect(inputFeeSat([100, 100])).toBe(1);
    expect(inputFeeSat(Array.from({ length: 10 }, () => 100))).toBe(1);
    expect(inputFeeSat(Array.from({ length: 11 }, () => 100))).toBe(2);
  });

  it("are borne up to the bound and a fifth of the amount", () => {
    expect(bearableFeeSat(1000, 10)).toBe(10);
    expect(bearableFeeSat(49, 10)).toBe(9);
    expect(bearableFeeSat(4, 10)).toBe(0);
  });
});
