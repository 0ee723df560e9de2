import type { NodeCall, NodeFault } from "../lightning/node-harness.ts";
import type { NodeKind } from "../lightning/owned-node.ts";
import { createRandom, type Random } from "./random.ts";

/** The Lightning node of one operator, for as long as he lives. */
export interface NodePlan {
  kind: NodeKind;
  invoiceSeconds: number;
  graceSeconds: number;
  /** How much slower than the operator's its clock goes: an invoice is then still paid after its end by his. */
  clockSlowness: number;
  /** Which of the two ways to hear of a payment never works: the other one has to be enough. */
  deaf: Extract<NodeCall, "follow" | "look-up"> | undefined;
}

export function planNode(seed: number): NodePlan {
  const random = createRandom(seed, "node");
  return {
    kind: random.pick(["phoenixd", "lnd"]),
    invoiceSeconds: random.pick([2, 3, 8]),
    graceSeconds: random.int(0, 1),
    clockSlowness: random.pick([1, 3]),
    deaf: random.pick([undefined, undefined, "follow", "look-up"]),
  };
}

/** What goes wrong with the node in one life of the daemon. */
export interface NodeTrouble {
  /** What meets the daemon's first, second, … request of each kind. */
  faults: Record<NodeCall, (NodeFault | undefined)[]>;
  /** Its streams break so long after the daemon listens. */
  breaksAfterMs: number | undefined;
  /** `away`: it does not listen from before the daemon's start. `down`: from when the daemon listens. */
  standing: "well" | "down" | "away";
}

export const NO_TROUBLE: NodeTrouble = {
  faults: { make: [], "look-up": [], cancel: [], follow: [], probe: [] },
  breaksAfterMs: undefined,
  standing: "well",
};

/** Most of the time it lets the daemon's start through: a node that fails its probe sells nothing for ten seconds. */
export function planTrouble(random: Random): NodeTrouble {
  const faults = (probability: number, count: number) =>
    Array.from({ length: count }, () => (random.chance(probability) ? planFault(random) : undefined));
  return {
    faults: {
      make: faults(0.25, 8),
      // One that is never answered would hold up the start for seconds.
      "look-up": faults(0.2, 12).map(answered),
      cancel: faults(0.3, 6).map(answered),
      follow: faults(0.25, 6),
      probe: faults(0.02, 3).map(answered),
    },
    breaksAfterMs: random.chance(0.3) ? random.int(0, 600) : undefined,
    standing: random.chance(0.08) ? random.pick(["down", "away"]) : "well",
  };
}

/** No invoice can be made: each one that is begun is given up again. */
export function planRefusals(): NodeTrouble {
  return { ...NO_TROUBLE, faults: { ...NO_TROUBLE.faults, make: Array(20).fill("error-500") } };
}

function planFault(random: Random): NodeFault {
  return random.pick([
    "drop-before",
    "drop-before",
    "drop-after",
    "drop-after",
    "stall",
    "error-500",
    "garbage",
  ]);
}

function answered(fault: NodeFault | undefined): NodeFault | undefined {
  return fault === "stall" ? "drop-after" : fault;
}
