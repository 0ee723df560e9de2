import type { Book } from "../db/open-book.ts";
import { type Price, samePrice, type Unit } from "../protocol/price.ts";
import { type Rate, speedOf } from "../tunnels/rate-spans.ts";

interface OfferedRow {
  amount: number;
  currency: string;
  unit: Unit;
  /** 0: none of its own. */
  rate_mbit: number;
}

/**
 * Remembers which tiers were on offer, and how fast, so that a buyer whose token was locked before a change is still
 * served: a locked token cannot be spent elsewhere.
 */
export function createPriceStore(book: Book, defaultRate: Rate = null) {
  const remember = book.prepare(
    `INSERT INTO offered_tiers (amount, currency, unit, rate_mbit, last_offered_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET last_offered_at = excluded.last_offered_at`,
  );
  const since = book.prepare<[number], OfferedRow>(
    `SELECT amount, currency, unit, rate_mbit FROM offered_tiers WHERE last_offered_at > ?
       ORDER BY last_offered_at DESC`,
  );

  /** A tier that had no rate of its own promised none. */
  function isFaster(former: Price, price: Price): boolean {
    return (
      former.rateMbit !== undefined &&
      speedOf(former.rateMbit, defaultRate) > speedOf(price.rateMbit ?? null, defaultRate)
    );
  }

  return {
    offered: (prices: readonly Price[], now: number) =>
      book.transaction(() => {
        for (const { amount, currency, unit, rateMbit } of prices) {
          remember.run(amount, currency, unit, rateMbit ?? 0, now);
        }
      })(),
    /** `prices`, then the others that were on offer after `unixSeconds`; each as fast as it has been since. */
    withOfferedSince(prices: readonly Price[], unixSeconds: number): Price[] {
      const honoured = [...prices];
      for (const former of since.all(unixSeconds).map(toPrice)) {
        const index = honoured.findIndex((price) => samePrice(price, former));
        const known = honoured[index];
        if (known === undefined) honoured.push(former);
        else if (isFaster(former, known)) honoured[index] = { ...known, rateMbit: former.rateMbit };
      }
      return honoured;
    },
  };
}

function toPrice({ rate_mbit: rateMbit, ...price }: OfferedRow): Price {
  return rateMbit === 0 ? price : { ...price, rateMbit };
}
