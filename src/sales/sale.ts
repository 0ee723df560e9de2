import type { Bought, Price } from "../protocol/price.ts";
import type { PurchaseReason } from "../protocol/refusal.ts";

/**
 * A sale's states over ecash (docs/adr/0002):
 *
 *     swapping ──→ paid ──→ granted
 *        │          └──→ owed ──→ granted
 *        └──→ released
 *
 * `swapping`: the signed swap is in the book and may have been sent. `paid`: the proofs are ours, the buyer has a
 * right. `owed`: no address or interface just now. `granted`: the tunnel is up, its time runs. `released`: the mint
 * said that nothing was taken, or that the token was spent without us; the claim is free again.
 */
export type SaleState = "swapping" | "paid" | "owed" | "granted" | "released";

export interface Sale {
  saleId: string;
  state: SaleState;
  mintKey: string;
  mintUrl: string;
  faceSat: number;
  feeSat: number;
  price: Price;
  bought: Bought;
  dTag: string;
  /** Keyed hashes: they tell a claimant again without naming him. */
  buyerHash: string;
  keyHash: string;
  /** The buyer's WireGuard key; null once the session has it. */
  clientKey: string | null;
  sessionId: string | null;
  createdAt: number;
  releaseReason: PurchaseReason | null;
}

/** At rest: nothing is left to be done for this sale. */
export function isAtRest(sale: Sale): boolean {
  return sale.state === "granted" || sale.state === "released";
}

/** The buyer has paid and has a right to his tunnel. */
export function isPaid(sale: Sale): boolean {
  return sale.state === "paid" || sale.state === "owed" || sale.state === "granted";
}
