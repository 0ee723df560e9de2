import { BOUNDARIES, type BoundaryName } from "../../boundary.ts";
import type { WayFault } from "./faulty-way.ts";
import { type ActionPlan, LIGHTNING, planActions } from "./plan-actions.ts";
import { planFaults, planRelays, planSwapFaults, type RelayPlan } from "./plan-faults.ts";
import { NO_TROUBLE, type NodeTrouble, planRefusals, planTrouble } from "./plan-node.ts";
import { createRandom, type Random } from "./random.ts";

export type KillPlan =
  /** So long after the daemon was started, after it listened, or after most buyers have their answer at last. */
  | { kind: "at-random"; after: "start" | "listening" | "calm"; delayMs: number }
  | { kind: "at-boundary"; name: BoundaryName; nth: number };

/** One life of the daemon, from its start to its kill -9. */
export interface RoundPlan {
  actions: ActionPlan[];
  /** What meets the daemon's first, second, … request to these. */
  swapFaults: (WayFault | undefined)[];
  lookFaults: (WayFault | undefined)[];
  keysetFaults: (WayFault | undefined)[];
  /** Input fee of the keyset that takes the old one's place once the daemon listens. */
  rotateToFeePpk: number | undefined;
  relays: [RelayPlan, RelayPlan];
  node: NodeTrouble;
  kill: KillPlan;
}

/** Reached only where something else than a sale's plain way is planned for it. */
const RARE = new Set<BoundaryName>([
  "attempt-prepared",
  "attempt-written",
  "owed-written",
  "release-unwritten",
  "within-released",
  "release-written",
  "address-released",
  "key-unmoved",
  "key-moved",
  ...LIGHTNING,
]);

const CALM_EVERY = 4;

/** What a seed says of one round, and nothing else says. */
export function planRound(seed: number, round: number): RoundPlan {
  const random = createRandom(seed, `round ${round}`);
  if (round % CALM_EVERY === 0) return planCalm(random);
  const kill = round % 2 === 1 ? killAtBoundary(seed, round, random) : killAtRandom(random);
  const wanted = kill.kind === "at-boundary" ? kill.name : undefined;
  const rotates = wanted?.startsWith("attempt-") === true || random.chance(0.06);
  const staysOpen = wanted === "address-released";
  return {
    actions: planActions(random, wanted),
    swapFaults: planSwapFaults(random, staysOpen ? 1 : wanted !== undefined && RARE.has(wanted) ? 0.1 : 0.3),
    lookFaults: staysOpen ? Array(12).fill({ kind: "garbage" }) : planFaults(random, 0.2, 8),
    keysetFaults: planFaults(random, 0.02, 3),
    rotateToFeePpk: rotates ? random.pick([0, 100, 100, 200]) : undefined,
    relays: planRelays(random),
    node: planNodeFor(random, wanted),
    kill,
  };
}

/** An invoice lapses when it ends unpaid, and when the node did not make it. */
function planNodeFor(random: Random, wanted: BoundaryName | undefined): NodeTrouble {
  if (wanted === undefined || !LIGHTNING.has(wanted)) return planTrouble(random);
  return wanted === "within-lapsed" && random.chance(0.5) ? planRefusals() : NO_TROUBLE;
}

/** Nothing fails but the daemon, and late: what a mint must say twice, a second apart, it can say in one life. */
function planCalm(random: Random): RoundPlan {
  return {
    actions: planActions(random, undefined),
    swapFaults: [],
    lookFaults: [],
    keysetFaults: [],
    rotateToFeePpk: undefined,
    relays: ["well", "well"],
    node: NO_TROUBLE,
    kill: { kind: "at-random", after: "calm", delayMs: random.int(100, 900) },
  };
}

/** Every boundary has its turn, in an order that the seed shuffles. */
function killAtBoundary(seed: number, round: number, random: Random): KillPlan {
  const turn = (round - 1) / 2;
  const order = shuffled(createRandom(seed, `order ${Math.floor(turn / BOUNDARIES.length)}`));
  const name = order[turn % BOUNDARIES.length] ?? "sale-opened";
  return { kind: "at-boundary", name, nth: RARE.has(name) ? 1 : random.pick([1, 1, 1, 1, 2, 3]) };
}

function shuffled(random: Random): BoundaryName[] {
  return BOUNDARIES.map((name) => ({ name, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ name }) => name);
}

function killAtRandom(random: Random): KillPlan {
  if (random.chance(0.25)) return { kind: "at-random", after: "start", delayMs: random.int(50, 900) };
  return { kind: "at-random", after: "listening", delayMs: random.int(0, random.pick([150, 400, 400, 900])) };
}
