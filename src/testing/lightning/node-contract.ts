import { describe } from "vitest";
import { describeFaults } from "./node-contract-faults.ts";
import { describeFollowing } from "./node-contract-following.ts";
import { describeInvoices } from "./node-contract-invoices.ts";
import type { NodeHarness } from "./node-harness.ts";
import { createScene } from "./node-scene.ts";

/** What sales rely on, the same for every Lightning node. Each case gets a node of its own. */
export function describeNode(name: string, createHarness: () => Promise<NodeHarness>): void {
  describe(`${name} as a Lightning node`, () => {
    const scene = createScene(createHarness);
    describe("invoices", () => describeInvoices(scene));
    describe("following", () => describeFollowing(scene));
    describe("faults", () => describeFaults(scene));
  });
}
