import type { OwnedNode } from "../lightning/owned-node.ts";
import type { FaultyWay } from "./faulty-way.ts";
import type { RoundPlan } from "./plan.ts";
import type { NodePlan } from "./plan-node.ts";

/** By the request's path. */
export function wayFaultsOf(plan: RoundPlan): FaultyWay["fault"] {
  const swap = take(plan.swapFaults);
  const look = take(plan.lookFaults);
  const keyset = take(plan.keysetFaults);
  return (path) => {
    if (path === "/v1/swap") return swap();
    if (path === "/v1/restore" || path === "/v1/checkstate") return look();
    return path.startsWith("/v1/key") ? keyset() : undefined;
  };
}

/** The way to hear of payments that never works does not work now either. */
export function nodeFaultsOf({ node }: Pick<RoundPlan, "node">, { deaf }: NodePlan): OwnedNode["fault"] {
  const { faults } = node;
  const planned = {
    make: take(faults.make),
    "look-up": take(faults["look-up"]),
    cancel: take(faults.cancel),
    follow: take(faults.follow),
    probe: take(faults.probe),
  };
  return (call) => (call === deaf ? "error-500" : planned[call]());
}

function take<T>(planned: readonly (T | undefined)[]): () => T | undefined {
  const left = [...planned];
  return () => left.shift();
}
