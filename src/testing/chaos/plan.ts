import { BOUNDARIES, type BoundaryName } from "../../boundary.ts";
import type { Unit } from "../../protocol/price.ts";
import type { WayFault } from "./faulty-way.ts";
import { createRandom, type Random } from "./random.ts";

export interface Tier {
  amount: number;
  unit: Unit;
}

export const TIERS: readonly [Tier, ...Tier[]] = [
  { amount: 16, unit: "hour" },
  { amount: 64, unit: "day" },
  { amount: 32, unit: "GiB" },
];

/** What a token is made like. */
export interface TokenPlan {
  tier: Tier;
  faceSat: number;
  encoding: "cashuA" | "cashuB";
}

/** What buyers and cheats do in one round. `who` picks one of those who have a tunnel by then. */
export type ActionPlan = { atMs: number } & (
  | { kind: "buy" | "two-keys" | "overlap"; token: TokenPlan; twice: boolean }
  | { kind: "renew"; token: TokenPlan; who: number; twice: boolean }
  /** The buyer can spend the token himself, and does, so long after he has sent it. */
  | { kind: "spent-elsewhere"; token: TokenPlan; afterMs: number }
  /** The mint has the token's proofs in flight elsewhere for so long. */
  | { kind: "pending"; token: TokenPlan; forMs: number }
  | { kind: "repeat" | "move"; who: number }
);

/** `away`: down from before the daemon's start. The others begin once it listens. */
export type RelayPlan = "well" | "refuses" | "hangs" | "mute" | "down" | "away";

export type KillPlan =
  /** So long after the daemon was started, or after it listened. */
  | { kind: "at-random"; after: "start" | "listening"; delayMs: number }
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
]);

const CALM_EVERY = 6;

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
    keysetFaults: planFaults(random, 0.05, 3),
    rotateToFeePpk: rotates ? random.pick([0, 100, 100, 200]) : undefined,
    relays: planRelays(random),
    kill,
  };
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
    kill: { kind: "at-random", after: "listening", delayMs: random.int(1_900, 2_300) },
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

function planActions(random: Random, wanted: BoundaryName | undefined): ActionPlan[] {
  const actions = Array.from({ length: random.int(2, 4) }, () => planAction(random));
  if (wanted === undefined) return actions;
  if (wanted.startsWith("key-")) return [{ kind: "move", who: random.next(), atMs: 0 }, ...actions];
  if (wanted.includes("release") && wanted !== "address-released") {
    return [{ kind: "spent-elsewhere", token: planToken(random), afterMs: -1, atMs: 0 }, ...actions];
  }
  const renewal: ActionPlan = {
    kind: "renew",
    token: planToken(random),
    who: random.next(),
    twice: false,
    atMs: 0,
  };
  return [renewal, ...actions];
}

function planAction(random: Random): ActionPlan {
  const atMs = random.int(0, 250);
  const token = planToken(random);
  const who = random.next();
  const twice = random.chance(0.25);
  const dice = random.next();
  if (dice < 0.4) return { kind: "buy", token, twice, atMs };
  if (dice < 0.65) return { kind: "renew", token, who, twice, atMs };
  if (dice < 0.75) return { kind: "repeat", who, atMs };
  if (dice < 0.82) return { kind: "two-keys", token, twice, atMs };
  if (dice < 0.88) return { kind: "overlap", token, twice, atMs };
  if (dice < 0.92) return { kind: "spent-elsewhere", token, afterMs: random.int(-1, 60), atMs };
  if (dice < 0.95) return { kind: "pending", token, forMs: random.int(100, 900), atMs };
  return { kind: "move", who, atMs };
}

function planToken(random: Random): TokenPlan {
  const tier = random.pick(TIERS);
  const faceSat = tier.amount * random.int(1, 2) + (random.chance(0.5) ? random.int(0, 15) : 0);
  return { tier, faceSat, encoding: random.pick(["cashuA", "cashuB"]) };
}

function planFaults(random: Random, probability: number, count: number): (WayFault | undefined)[] {
  return Array.from({ length: count }, () => (random.chance(probability) ? planFault(random) : undefined));
}

/** A swap may also be late. A look that is late would only hold up the start. */
function planSwapFaults(random: Random, probability: number): (WayFault | undefined)[] {
  return planFaults(random, probability, 6).map((fault) =>
    fault && random.chance(0.2) ? { kind: "late" } : fault,
  );
}

function planFault(random: Random): WayFault {
  const acts = random.chance(0.5);
  const forMs = random.pick([50, 50, 200, 200, 200, 600, 600, 2000]);
  return random.pick<WayFault>([
    { kind: "drop-before" },
    { kind: "drop-before" },
    { kind: "drop-after" },
    { kind: "drop-after" },
    { kind: "stall", forMs, acts },
    { kind: "stall", forMs, acts },
    { kind: "status", status: random.pick([500, 502, 503, 403]), acts },
    { kind: "status", status: 429, acts },
    { kind: "garbage", acts },
    { kind: "pending", acts },
  ]);
}

/** One of the two is there when the daemon starts: without any it ends by itself. */
function planRelays(random: Random): [RelayPlan, RelayPlan] {
  const trouble = (): RelayPlan =>
    random.chance(0.2) ? random.pick(["refuses", "hangs", "mute", "down"]) : "well";
  // Rare, for it costs the start seconds.
  return random.chance(0.01) ? ["away", "well"] : [trouble(), trouble()];
}
