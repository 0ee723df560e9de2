import type { Unit } from "../../protocol/price.ts";

export interface Tier {
  amount: number;
  unit: Unit;
}

/** What the operator sells, in sat for one unit. */
export const TIERS: readonly [Tier, ...Tier[]] = [
  { amount: 16, unit: "hour" },
  { amount: 64, unit: "day" },
  { amount: 32, unit: "GiB" },
];

/** Most of what one purchase may buy. Over Lightning, a tier that is counted in data is then sold one unit at a time. */
export const MAX_PURCHASE: Tier = { amount: 3, unit: "day" };
