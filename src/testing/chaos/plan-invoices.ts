import type { Random } from "./random.ts";
import { TIERS, type Tier } from "./tiers.ts";

/** An invoice that a buyer asks for, and what he does with it. */
export interface InvoicePlan {
  tier: Tier;
  amountSat: number;
  /** What the wallet sends along: the marketplace's JSON, or a bare WireGuard key. */
  comment: "order" | "key";
  pays: PayPlan;
}

export type PayPlan =
  | { when: "never" }
  | ({ when: "at-once" } & PayDetails)
  /** While no daemon lives. */
  | ({ when: "daemon-dead" } & PayDetails)
  /** After so many of the invoice's lifetimes, which the node may refuse or not. */
  | ({ when: "later"; lifetimes: number } & PayDetails);

export interface PayDetails {
  /** Beyond what is asked for. */
  overpaidSat: number;
  /** What the node keeps, if it is of a kind that does. */
  keptSat: number;
  /** The node's streams break a moment before: nobody is told. */
  isMissed: boolean;
  /** The node tells of it once more, so long after. */
  toldAgainAfterMs: number | undefined;
}

/** One to three of one key: they share its address, and each that is paid adds its time. */
export function planInvoices(random: Random): InvoicePlan[] {
  const count = random.pick([1, 1, 1, 2, 3]);
  return Array.from({ length: count }, () => planInvoice(random, planPay(random)));
}

export function planInvoice(random: Random, pays: PayPlan): InvoicePlan {
  const tier = random.pick(TIERS);
  const amountSat =
    tier.unit === "GiB"
      ? tier.amount
      : tier.amount * random.int(1, 2) + random.pick([0, 0, random.int(1, 15)]);
  return { tier, amountSat, comment: random.pick(["order", "key"]), pays };
}

export function planPay(random: Random): PayPlan {
  const details = planDetails(random);
  const dice = random.next();
  if (dice < 0.15) return { when: "never" };
  if (dice < 0.5) return { when: "at-once", ...details };
  if (dice < 0.75) return { when: "daemon-dead", ...details };
  return { when: "later", lifetimes: 0.3 + 2 * random.next(), ...details };
}

/** Heard of at once, unless a fault is in the way: for a round that is after what a payment leads to. */
export function planPromptPay(random: Random): PayPlan {
  return { when: "at-once", ...planDetails(random), isMissed: false };
}

function planDetails(random: Random): PayDetails {
  return {
    overpaidSat: random.chance(0.2) ? random.int(1, 16) : 0,
    keptSat: random.chance(0.3) ? random.int(1, 15) : 0,
    isMissed: random.chance(0.25),
    toldAgainAfterMs: random.chance(0.3) ? random.int(0, 1_500) : undefined,
  };
}
