import { join } from "node:path";
import { type Book, openBook } from "../db/open-book.ts";
import type { Bought } from "../protocol/price.ts";
import { type AddressPool, createAddressPool } from "../tunnels/address-pool.ts";
import { createSessionStore, type SessionStore } from "../tunnels/session-store.ts";
import { parseSubnet } from "../tunnels/subnet.ts";
import { makeTempDir } from "./temp-dir.ts";
import { generateWireguardKeys } from "./wireguard-keys.ts";

export const HOLD_SECONDS = 300;

export const firstPurchase = {
  price: { amount: 100, currency: "sat", unit: "hour" as const },
  method: "cashu",
  dTag: "my-vpn",
};

export interface SessionBook {
  path: string;
  book: Book;
  pool: AddressPool;
  store: SessionStore;
  /** Writes a sale in the state given, for a session that is pinned by it. */
  sale(sessionId: string, state?: "swapping" | "paid" | "owed" | "granted"): string;
  saleEnds(saleId: string, state: "granted" | "released"): void;
  /** A session that was bought and is up. */
  granted(publicKey: string, bought: Bought, now: number): string;
  close(): Promise<void>;
}

export const newKey = (): string => generateWireguardKeys().publicKey;

/** Sessions in a real file. `prepare` may lay an older daemon's database there first. */
export async function openSessionBook(
  subnet = "10.66.42.0/24",
  prepare: (path: string) => void = () => {},
): Promise<SessionBook> {
  const folder = await makeTempDir();
  const path = join(folder.path, "sessions.db");
  prepare(path);
  const book = openBook(path);
  const pool = createAddressPool(book, parseSubnet(subnet));
  const store = createSessionStore(book, pool, HOLD_SECONDS);
  let sales = 0;
  const insertSale = book.prepare(
    `INSERT INTO sales (sale_id, state, method, mint_key, mint_url, face_sat, fee_sat, price_amount, price_currency,
       price_unit, bought_seconds, bought_bytes, listing_d_tag, buyer_hash, key_hash, session_id, created_at)
     VALUES (?, ?, 'cashu', 'm', 'm', 1, 0, 1, 'sat', 'hour', 1, 0, 'my-vpn', 'b', 'k', ?, 0)`,
  );
  const setState = book.prepare("UPDATE sales SET state = ? WHERE sale_id = ?");

  function sale(sessionId: string, state = "swapping"): string {
    const saleId = `sale-${++sales}`;
    insertSale.run(saleId, state, sessionId);
    return saleId;
  }

  return {
    path,
    book,
    pool,
    store,
    sale,
    saleEnds: (saleId, state) => void setState.run(state, saleId),
    granted(publicKey, bought, now) {
      const sessionId = store.reserve(publicKey, firstPurchase, now);
      if (sessionId === undefined) throw new Error("the pool is empty");
      store.grant(sessionId, bought, now);
      return sessionId;
    },
    async close() {
      book.close();
      await folder.remove();
    },
  };
}
