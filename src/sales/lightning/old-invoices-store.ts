import { randomUUID } from "node:crypto";
import type { Book } from "../../db/open-book.ts";
import { isWireguardKey } from "../../protocol/wireguard-key.ts";
import { OLD_INVOICE_SECONDS } from "../../tunnels/old-rows-store.ts";
import { parseIpv4 } from "../../tunnels/subnet.ts";
import { keyHashOf } from "../claimant.ts";

/** Beyond these, sums could leave what integers hold. */
const MOST_SECONDS = 100 * 365 * 86_400;
const MOST_BYTES = 2 ** 52;

interface OldRow {
  session_id: string;
  client_identity: string;
  assigned_ip: string;
  purchased_at: number;
  seconds: number;
  bytes: number;
  price_amount: number;
  price_currency: string;
  price_unit: string;
  payment_hash: string;
  listing_d_tag: string;
}

/**
 * Takes over the unpaid invoices of an older daemon: each of its pending sessions with a payment hash is one. The old
 * table's columns take any value, so what is not of the right kind is no invoice, or is left empty where it only tells.
 */
export function createOldInvoicesStore(book: Book, claimSecret: Buffer) {
  const found = book.prepare<[number, number], OldRow>(
    `SELECT session_id, client_identity, assigned_ip, purchased_at, seconds, bytes, lower(payment_hash) AS payment_hash,
         iif(price_amount BETWEEN 0 AND 1e15, price_amount, 0) AS price_amount,
         iif(typeof(price_currency) = 'text', price_currency, '') AS price_currency,
         iif(typeof(price_unit) = 'text', price_unit, '') AS price_unit,
         iif(typeof(listing_d_tag) = 'text', listing_d_tag, '') AS listing_d_tag
       FROM (SELECT *, coalesce(CAST(data_quota_bytes AS INTEGER), 0) AS bytes,
           iif(coalesce(CAST(data_quota_bytes AS INTEGER), 0) > 0, 0,
             coalesce(CAST(CAST(expires_at AS INTEGER) - purchased_at AS INTEGER), 0)) AS seconds
         FROM sessions WHERE status = 'pending'
           AND typeof(purchased_at) = 'integer' AND purchased_at > ? AND purchased_at <= ?
           AND typeof(session_id) = 'text' AND typeof(client_identity) = 'text' AND typeof(assigned_ip) = 'text'
           AND typeof(payment_hash) = 'text') AS found
       WHERE seconds BETWEEN 0 AND ${MOST_SECONDS} AND bytes BETWEEN 0 AND ${MOST_BYTES} AND seconds + bytes > 0
         AND NOT EXISTS (SELECT 1 FROM sales WHERE sales.session_id = found.session_id)
         AND NOT EXISTS (SELECT 1 FROM invoices WHERE invoices.payment_hash = lower(found.payment_hash))
       ORDER BY purchased_at, session_id`,
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
    /** Answers by how many there are. Rows that no tunnel could come of are left to lapse, as are all but one of a hash. */
    adopt: (now: number): number =>
      book
        .transaction(() => {
          const rows = found.all(now - OLD_INVOICE_SECONDS, now + OLD_INVOICE_SECONDS).filter(isPayable);
          const byHash = new Map(rows.reverse().map((row) => [row.payment_hash, row]));
          for (const row of byHash.values()) adopt(row);
          return byHash.size;
        })
        .immediate(),
  };
}

function isPayable({ client_identity, assigned_ip, payment_hash }: OldRow): boolean {
  return (
    isWireguardKey(client_identity) &&
    parseIpv4(assigned_ip) !== undefined &&
    /^[0-9a-f]{64}$/.test(payment_hash)
  );
}
