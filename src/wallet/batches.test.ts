import fc from "fast-check";
import { expect, test } from "vitest";
import { inBatches } from "./batches.ts";

const proof = fc.record({
  keysetId: fc.constantFrom("00ad268c4d1f5826", "01".padEnd(66, "f")),
  amountSat: fc.integer({ min: 1, max: 2 ** 40 }),
  secret: fc.string({ maxLength: 1500, size: "max", unit: "binary" }),
  C: fc.constant("02".padEnd(66, "a")),
});

test("every proof once, in order, and each batch fits an event", () => {
  fc.assert(
    fc.property(fc.array(proof, { maxLength: 700, size: "max" }), (proofs) => {
      const batches = inBatches(proofs);
      expect(batches.flat()).toEqual(proofs);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(200);
        const content = {
          proofs: batch.map(({ keysetId: id, amountSat: amount, secret, C }) => ({ id, amount, C, secret })),
        };
        if (batch.length > 1) expect(Buffer.byteLength(JSON.stringify(content))).toBeLessThan(60_000);
      }
    }),
    { numRuns: 20 },
  );
});
