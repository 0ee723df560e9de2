import type { Unit } from "../protocol/price.ts";
import type { PurchaseReason } from "../protocol/refusal.ts";
import type { Sale, SaleState } from "./sale.ts";

/** What of a row of `sales` the state machine needs. */
export interface SaleRow {
  sale_id: string;
  state: SaleState;
  mint_key: string;
  mint_url: string;
  face_sat: number;
  fee_sat: number;
  price_amount: number;
  price_currency: string;
  price_unit: Unit;
  bought_seconds: number;
  bought_bytes: number;
  listing_d_tag: string;
  buyer_hash: string;
  key_hash: string;
  client_key: string | null;
  session_id: string | null;
  created_at: number;
  release_reason: PurchaseReason | null;
}

export function toSale(row: SaleRow): Sale {
  return {
    saleId: row.sale_id,
    state: row.state,
    mintKey: row.mint_key,
    mintUrl: row.mint_url,
    faceSat: row.face_sat,
    feeSat: row.fee_sat,
    price: { amount: row.price_amount, currency: row.price_currency, unit: row.price_unit },
    bought: { seconds: row.bought_seconds, bytes: row.bought_bytes },
    dTag: row.listing_d_tag,
    buyerHash: row.buyer_hash,
    keyHash: row.key_hash,
    clientKey: row.client_key,
    sessionId: row.session_id,
    createdAt: row.created_at,
    releaseReason: row.release_reason,
  };
}
