import type { Book } from "../db/open-book.ts";
import { type Price, samePrice, type Unit } from "../protocol/price.ts";

export type PriceStore = ReturnType<typeof createPriceStore>;

/**
 * Remembers which tiers were on offer, so that a buyer whose token was locked before a price change is still served:
 * a locked token cannot be spent elsewhere.
 */
export function createPriceStore(book: Book) {
  const remember = book.prepare(
    `INSERT INTO offered_prices (amount, currency, unit, last_offered_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET last_offered_at = excluded.last_offered_at`,
  );
  const since = book.prepare<[number], { amount: number; currency: string; unit: Unit }>(
    "SELECT amount, currency, unit FROM offered_prices WHERE last_offered_at > ? ORDER BY last_offered_at DESC",
  );
  return {
    offered: (prices: readonly Price[], now: number) =>
      book.transaction(() => {
        for (const { amount, currency, unit } of prices) remember.run(amount, currency, unit, now);
      })(),
    /** `prices`, then the others that were on offer after `unixSeconds`. */
    withOfferedSince: (prices: readonly Price[], unixSeconds: number): Price[] => [
      ...prices,
      ...since.all(unixSeconds).filter((former) => !prices.some((price) => samePrice(price, former))),
    ],
  };
}
