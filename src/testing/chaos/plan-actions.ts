import type { BoundaryName } from "../../boundary.ts";
import { type InvoicePlan, planInvoice, planInvoices, planPromptPay } from "./plan-invoices.ts";
import type { Random } from "./random.ts";
import { TIERS, type Tier } from "./tiers.ts";

/** A sale over Lightning comes to these as well. */
const SHARED = new Set<BoundaryName>([
  "session-attached",
  "peer-unadmitted",
  "peer-admitted",
  "within-granted",
  "sale-granted",
  "owed-written",
]);
/** Nothing but a sale over Lightning comes to these. */
export const LIGHTNING: ReadonlySet<BoundaryName> = new Set([
  "invoice-opened",
  "invoice-unwritten",
  "invoice-written",
  "within-payment",
  "payment-written",
  "within-lapsed",
]);

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
  /** `who` undefined: somebody new. */
  | { kind: "invoices"; invoices: InvoicePlan[]; who: number | undefined }
  | { kind: "repeat" | "move"; who: number }
);

/** What happens in one round; something of it may come to the boundary that is wanted. */
export function planActions(random: Random, wanted: BoundaryName | undefined): ActionPlan[] {
  const count = wanted === undefined ? random.int(1, 3) : random.int(0, 2);
  const actions = Array.from({ length: count }, () => planAction(random));
  if (wanted === undefined) return actions;
  if (wanted.startsWith("key-")) return [{ kind: "move", who: random.next(), atMs: 0 }, ...actions];
  if (wanted.includes("release") && wanted !== "address-released") {
    return [{ kind: "spent-elsewhere", token: planToken(random), afterMs: -1, atMs: 0 }, ...actions];
  }
  if (LIGHTNING.has(wanted) || (SHARED.has(wanted) && random.chance(0.5))) {
    return [planWantedInvoice(random, wanted), ...actions];
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

function planWantedInvoice(random: Random, wanted: BoundaryName): ActionPlan {
  const pays = wanted === "within-lapsed" ? ({ when: "never" } as const) : planPromptPay(random);
  return { kind: "invoices", invoices: [planInvoice(random, pays)], who: planCustomer(random), atMs: 0 };
}

function planCustomer(random: Random): number | undefined {
  const who = random.next();
  return random.chance(0.5) ? who : undefined;
}

function planAction(random: Random): ActionPlan {
  const atMs = random.int(0, 250);
  if (random.chance(0.45)) {
    return { kind: "invoices", invoices: planInvoices(random), who: planCustomer(random), atMs };
  }
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
  const faceSat = tier.amount * random.int(1, 2) + (random.chance(0.3) ? random.int(0, 15) : 0);
  return { tier, faceSat, encoding: random.pick(["cashuA", "cashuB"]) };
}
