import { expect, it } from "vitest";
import { NO_TROUBLE, type NodeTrouble, planNode } from "./plan-node.ts";
import { nodeFaultsOf } from "./round-faults.ts";

const node: NodeTrouble = {
  ...NO_TROUBLE,
  faults: { ...NO_TROUBLE.faults, make: ["garbage", undefined, "stall"], follow: ["drop-before"] },
};
const plan = { ...planNode(1), deaf: undefined };

it("gives each kind of request its faults in turn", () => {
  const faultOf = nodeFaultsOf({ node }, plan);
  const met = (["make", "follow", "make", "make", "make", "probe"] as const).map((call) => faultOf?.(call));
  expect(met).toEqual(["garbage", "drop-before", undefined, "stall", undefined, undefined]);
});

it("keeps the way that never works shut", () => {
  const faultOf = nodeFaultsOf({ node }, { ...plan, deaf: "follow" });
  expect([faultOf?.("follow"), faultOf?.("follow"), faultOf?.("look-up")]).toEqual([
    "error-500",
    "error-500",
    undefined,
  ]);
});
