import { createHash } from "node:crypto";
import type { Book } from "../db/open-book.ts";

/** What one day of business leaves in the book. */
export interface DayOfSales {
  /** Unix seconds at its beginning. */
  startsAt: number;
  sales: number;
  mintUrl: string;
  relayUrls: readonly string[];
}

const PROOF_SATS = [64, 32, 1, 1];
const FEE_SAT = 2;
const FACE_SAT = PROOF_SATS.reduce((sum, sat) => sum + sat, FEE_SAT);
/** As long as a token's proofs and their wallet events are. */
const EVENT_JSON = JSON.stringify({ kind: 7375, content: "x".repeat(2_500) });
const DAY = 86_400;

/** Writes days of sales as the stores leave them, much faster than they could be sold. */
export function createAgedBook(book: Book) {
  const insertSession = book.prepare(
    `INSERT INTO sessions (session_id, protocol, client_identity, assigned_ip, purchased_at, expires_at,
       price_amount, price_currency, price_unit, payment_method, status, last_rx_counter, last_tx_counter, listing_d_tag)
     VALUES (?, 'wireguard', '', '10.66.42.2', ?, ?, 100, 'sat', 'day', ?, 'expired', 0, 0, 'vpn')`,
  );
  const insertTerms = book.prepare(
    "INSERT INTO session_terms (session_id, time_until, ended_at, end_cause) VALUES (?, ?, ?, 'time')",
  );
  const insertSale = book.prepare(
    `INSERT INTO sales (sale_id, state, method, mint_key, mint_url, face_sat, fee_sat, received_sat, price_amount,
       price_currency, price_unit, bought_seconds, bought_bytes, listing_d_tag, buyer_hash, key_hash, session_id,
       created_at, paid_at, granted_at)
     VALUES (?, 'granted', ?, ?, ?, ?, ?, ?, 100, 'sat', 'day', 86400, 0, 'vpn', ?, ?, ?, ?, ?, ?)`,
  );
  const insertInput = book.prepare("INSERT INTO sale_inputs (mint_key, y, sale_id) VALUES (?, ?, ?)");
  const insertInvoice = book.prepare(
    `INSERT INTO invoices (sale_id, payment_hash, preimage, bolt11, requested_msat, description_hash, expires_at,
       received_msat, fee_msat) VALUES (?, ?, ?, ?, 100000, ?, ?, 99000, 1000)`,
  );
  const insertEvent = book.prepare(
    "INSERT INTO wallet_events (event_id, kind, json, created_at, acknowledged_at) VALUES (?, ?, ?, ?, ?)",
  );
  const insertDelivery = book.prepare(
    "INSERT INTO wallet_event_relays (event_id, relay_url, acknowledged_at, attempts) VALUES (?, ?, ?, 1)",
  );
  const insertProof = book.prepare(
    `INSERT INTO proofs (y, mint_url, keyset_id, amount_sat, secret, c, dleq, sale_id, taken_at, event_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  let count = 0;
  const hex = () => createHash("sha256").update(`${count++}`).digest("hex");

  function sell(day: DayOfSales, at: number, isLightning: boolean): void {
    const [sessionId, saleId] = [hex(), hex()];
    const method = isLightning ? "lightning" : "cashu";
    const mint = isLightning ? null : day.mintUrl;
    const money = isLightning ? [100, 0, 0] : [FACE_SAT, FEE_SAT, FACE_SAT - FEE_SAT];
    insertSession.run(sessionId, at, at + DAY, method);
    insertTerms.run(sessionId, at + DAY, at + DAY);
    insertSale.run(saleId, method, mint, mint, ...money, hex(), hex(), sessionId, at, at, at);
    if (isLightning) insertInvoice.run(saleId, hex(), hex(), `lnbc1${"q".repeat(300)}`, hex(), at + 600);
    else takeIn(day, saleId, at);
  }

  function takeIn({ mintUrl, relayUrls }: DayOfSales, saleId: string, at: number): void {
    for (let n = 0; n < 6; n++) insertInput.run(mintUrl, `02${hex()}`, saleId);
    const [tokenId, historyId] = [hex(), hex()];
    for (const [id, kind] of [
      [tokenId, 7375],
      [historyId, 7376],
    ] as const) {
      insertEvent.run(id, kind, EVENT_JSON, at, at);
      for (const url of relayUrls) insertDelivery.run(id, url, at);
    }
    const dleq = JSON.stringify({ e: hex(), s: hex(), r: hex() });
    for (const sat of PROOF_SATS) {
      insertProof.run(
        `02${hex()}`,
        mintUrl,
        `01${hex()}`,
        sat,
        hex(),
        `02${hex()}`,
        dleq,
        saleId,
        at,
        tokenId,
      );
    }
  }

  return {
    /** One in five over Lightning. Each buys a day, which is over at its end. */
    addDay: book.transaction((day: DayOfSales) => {
      for (let n = 0; n < day.sales; n++) {
        sell(day, day.startsAt + Math.floor((n * DAY) / day.sales), n % 5 === 4);
      }
    }),
  };
}
