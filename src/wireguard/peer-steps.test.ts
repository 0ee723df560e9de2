import fc from "fast-check";
import { expect, it } from "vitest";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";
import { inBatches, planSteps } from "./peer-steps.ts";

const newKey = () => generateWireguardKeys().publicKey;

it("removes before it sets, and keeps what cannot be a peer out of the argv", () => {
  const [server, former, buyer, other] = [newKey(), newKey(), newKey(), newKey()];
  const plan = planSteps(
    {
      set: [
        { publicKey: buyer, addresses: ["10.66.42.2", "10.66.42.9"] },
        { publicKey: server, addresses: ["10.66.42.3"] },
        { publicKey: other, addresses: ["not an address"] },
      ],
      remove: [former, "not a key"],
    },
    server,
  );
  expect(plan.steps.map((step) => step.args)).toEqual([
    ["peer", former, "remove"],
    ["peer", buyer, "allowed-ips", "10.66.42.2/32,10.66.42.9/32"],
  ]);
  expect(plan.rejected).toEqual([server, other]);
});

it("cuts batches in order, none too long but for a step that is so alone", () => {
  const step = fc.nat({ max: 30 }).map((length) => ({ publicKey: "k", args: ["x".repeat(length)] }));
  const bytesOf = (args: string[]) => args.reduce((sum, arg) => sum + arg.length + 1, 0);
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 60 }), (steps, maxBytes) => {
      const batches = inBatches(steps, maxBytes);
      expect(batches.flat()).toEqual(steps);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        if (batch.length > 1) {
          expect(bytesOf(batch.flatMap((each) => each.args))).toBeLessThanOrEqual(maxBytes);
        }
      }
    }),
  );
});
