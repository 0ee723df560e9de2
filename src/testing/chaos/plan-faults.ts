import type { WayFault } from "./faulty-way.ts";
import type { Random } from "./random.ts";

/** `away`: down from before the daemon's start. The others begin once it listens. */
export type RelayPlan = "well" | "refuses" | "hangs" | "mute" | "down" | "away";

export function planFaults(random: Random, probability: number, count: number): (WayFault | undefined)[] {
  return Array.from({ length: count }, () => (random.chance(probability) ? planFault(random) : undefined));
}

/** A swap may also be late. A look that is late would only hold up the start. */
export function planSwapFaults(random: Random, probability: number): (WayFault | undefined)[] {
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
export function planRelays(random: Random): [RelayPlan, RelayPlan] {
  const trouble = (): RelayPlan =>
    random.chance(0.2) ? random.pick(["refuses", "hangs", "mute", "down"]) : "well";
  // Rare, for it costs the start seconds.
  return random.chance(0.01) ? ["away", "well"] : [trouble(), trouble()];
}
