import type { Unit } from "../protocol/price.ts";
import type { PurchaseReason } from "../protocol/refusal.ts";
import type { EcashSale, LightningSale, Sale } from "./sale.ts";

/** What of a row of `sales` the state machine needs. */
export type SaleRow = EcashRow | LightningRow;

interface EcashRow extends CommonRow {
  method: "cashu";
  state: EcashSale["state"];
  mint_key: string;
  mint_url: string;
  release_reason: PurchaseReason | null;
}

interface LightningRow extends CommonRow {
  method: "lightning";
  state: LightningSale["state"];
}

interface CommonRow {
  sale_id: string;
  face_sat: number;
  fee_sat: number;
  price_amount: number;
  price_currency: string;
  price_unit: Unit;
  bought_seconds: number;
  bought_bytes: number;
  rate_mbit: number | null;
  listing_d_tag: string;
  buyer_hash: string;
  key_hash: string;
  client_key: string | null;
  session_id: string | null;
  created_at: number;
}

export function toSale(row: SaleRow): Sale {
  const rateMbit = row.rate_mbit ?? undefined;
  const terms = {
    saleId: row.sale_id,
    faceSat: row.face_sat,
    feeSat: row.fee_sat,
    price: { amount: row.price_amount, currency: row.price_currency, unit: row.price_unit, rateMbit },
    bought: { seconds: row.bought_seconds, bytes: row.bought_bytes, rateMbit },
    dTag: row.listing_d_tag,
    buyerHash: row.buyer_hash,
    keyHash: row.key_hash,
    clientKey: row.client_key,
    sessionId: row.session_id,
    createdAt: row.created_at,
  };
  if (row.method === "lightning") return { ...terms, method: row.method, state: row.state };
  return {
    ...terms,
    method: row.method,
    state: row.state,
    mintKey: row.mint_key,
    mintUrl: row.mint_url,
    releaseReason: row.release_reason,
  };
}
