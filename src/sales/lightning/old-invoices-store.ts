import { randomUUID } from "node:crypto";
import type { Book } from "../../db/open-book.ts";
import { isWireguardKey } from "../../protocol/wireguard-key.ts";
import { keyHashOf } from "../claimant.ts";

/** How long an older daemon's unpaid invoice may still be paid (docs/spec.md, "An older database"). */
const OLD_INVOICE_SECONDS = 86_400;

interface OldRow {
  session_id: string;
  client_identity: string;
  purchased_at: number;
  seconds: number;
  bytes: number;
  price_amount: number;
  price_currency: string;
  price_unit: string;
  payment_hash: string;
  listing_d_tag: string;
}

/** Takes over the unpaid invoices of an older daemon: each of its pending sessions with a payment hash is one. */
export function createOldInvoicesStore(book: Book, claimSecret: Buffer) {
  const found = book.prepare<[number], OldRow>(
    `SELECT session_id, client_identity, purchased_at, price_amount, price_currency, price_unit, listing_d_tag,
         lower(payment_hash) AS payment_hash,
         iif(coalesce(data_quota_bytes, 0) > 0, 0, CAST(expires_at - purchased_at AS INTEGER)) AS seconds,
         iif(coalesce(data_quota_bytes, 0) > 0, CAST(data_quota_bytes AS INTEGER), 0) AS bytes
       FROM sessions WHERE status = 'pending' AND typeof(payment_hash) = 'text' AND length(payment_hash) = 64
         AND typeof(purchased_at) = 'integer' AND purchased_at > ?
         AND session_id NOT IN (SELECT session_id FROM sales WHERE session_id IS NOT NULL)
         AND lower(payment_hash) NOT IN (SELECT payment_hash FROM invoices)`,
  );
  const insertSale = book.prepare(
    `INSERT INTO sales (sale_id, state, method, face_sat, fee_sat, price_amount, price_currency, price_unit,
       bought_seconds, bought_bytes, listing_d_tag, buyer_hash, key_hash, client_key, session_id, created_at)
     VALUES (?, 'invoiced', 'lightning', 0, 0, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?)`,
  );
  const insertInvoice = book.prepare(
    "INSERT INTO invoices (sale_id, payment_hash, expires_at) VALUES (?, ?, ?)",
  );

  function adopt(row: OldRow): void {
    const saleId = randomUUID();
    const { client_identity: key, purchased_at: madeAt } = row;
    insertSale.run(
      saleId,
      row.price_amount,
      row.price_currency,
      row.price_unit,
      row.seconds,
      row.bytes,
      row.listing_d_tag,
      keyHashOf(claimSecret, key),
      key,
      row.session_id,
      madeAt,
    );
    insertInvoice.run(saleId, row.payment_hash, madeAt + OLD_INVOICE_SECONDS);
  }

  return {
    /** Answers by how many there are. Rows that no tunnel could come of are left to lapse. */
    adopt: (now: number): number =>
      book
        .transaction(() => {
          const rows = found
            .all(now - OLD_INVOICE_SECONDS)
            .filter(
              ({ client_identity, seconds, bytes }) => isWireguardKey(client_identity) && seconds + bytes > 0,
            );
          for (const row of rows) adopt(row);
          return rows.length;
        })
        .immediate(),
  };
}
