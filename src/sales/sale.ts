import type { Bought, Price } from "../protocol/price.ts";
import type { PurchaseReason } from "../protocol/refusal.ts";

/**
 * A sale's states over ecash (docs/adr/0002):
 *
 *     swapping ──→ paid ──→ granted
 *        │          └──→ owed ──→ granted
 *        └──→ released
 *
 * and over Lightning (docs/adr/0008):
 *
 *     invoicing ──→ invoiced ──→ paid ──→ granted
 *         │            │          ↑ └──→ owed ──→ granted
 *         └────────────┴→ lapsed ─┘
 *
 * `swapping`: the signed swap is in the book and may have been sent. `released`: the mint said that nothing was taken,
 * or that the token was spent without us; the claim is free again. `invoicing`: the preimage is in the book and the
 * node is being asked. `invoiced`: the buyer may have the invoice. `lapsed`: its time is over, or nobody ever got it;
 * should it be paid all the same, that is honoured. `paid`: the money is ours, the buyer has a right. `owed`: no
 * address or interface just now. `granted`: the tunnel is up, its time runs.
 */
export type Sale = EcashSale | LightningSale;

type PaidState = "paid" | "owed" | "granted";

export interface EcashSale extends SaleTerms {
  method: "cashu";
  state: "swapping" | "released" | PaidState;
  mintKey: string;
  mintUrl: string;
  releaseReason: PurchaseReason | null;
}

export interface LightningSale extends SaleTerms {
  method: "lightning";
  state: "invoicing" | "invoiced" | "lapsed" | PaidState;
}

interface SaleTerms {
  saleId: string;
  /** The token's face value, or the invoice's amount, in whole sat. */
  faceSat: number;
  feeSat: number;
  price: Price;
  bought: Bought;
  dTag: string;
  /** Keyed hashes: they tell a claimant again without naming him. No buyer's hash over Lightning: empty. */
  buyerHash: string;
  keyHash: string;
  /** The buyer's WireGuard key; null once the session has it. */
  clientKey: string | null;
  sessionId: string | null;
  createdAt: number;
}

/** At rest: nothing is left to be done for this sale. */
export function isAtRest(sale: Sale): boolean {
  return sale.state === "granted" || sale.state === "released" || sale.state === "lapsed";
}

/** The buyer has paid and has a right to his tunnel. */
export function isPaid(sale: Sale): boolean {
  return sale.state === "paid" || sale.state === "owed" || sale.state === "granted";
}
