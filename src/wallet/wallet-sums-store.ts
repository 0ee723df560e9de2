import type { Book } from "../db/open-book.ts";

export type WalletSumsStore = ReturnType<typeof createWalletSumsStore>;

/** The wallet as the book has it: mints and relays are not asked. */
export function createWalletSumsStore(book: Book) {
  const unspent = book.prepare<[], { mintUrl: string; sat: number }>(
    `SELECT mint_url AS mintUrl, sum(amount_sat) AS sat FROM proofs
       WHERE spent_at IS NULL GROUP BY mint_url ORDER BY mint_url`,
  );
  const waiting = book
    .prepare<[], number>(
      `SELECT (SELECT coalesce(sum(amount_sat), 0) FROM proofs WHERE event_id IS NULL AND spent_at IS NULL)
         + (SELECT coalesce(sum(amount_sat), 0) FROM wallet_events CROSS JOIN proofs USING (event_id)
            WHERE acknowledged_at IS NULL AND withdrawn_at IS NULL AND spent_at IS NULL)`,
    )
    .pluck();
  return {
    /** What no mint has called SPENT so far. */
    unspentByMint: () => unspent.all(),
    /** Of it, what no relay has acknowledged. */
    waitingSat: () => waiting.get() ?? 0,
  };
}
