import type { Book } from "../db/open-book.ts";

/** What a heartbeat tells of the book. */
export interface Summary {
  sales: { method: string; count: number; amountSat: number }[];
  balances: { mintUrl: string; amountSat: number }[];
}

export type SummaryStore = ReturnType<typeof createSummaryStore>;

export function createSummaryStore(book: Book) {
  const sales = book.prepare<[number], Summary["sales"][number]>(
    `SELECT method, count(*) AS count, sum(face_sat) AS amountSat FROM sales
       WHERE state IN ('paid', 'owed', 'granted') AND paid_at >= ? GROUP BY method ORDER BY method`,
  );
  const balances = book.prepare<[], Summary["balances"][number]>(
    `SELECT mint_url AS mintUrl, sum(amount_sat) AS amountSat FROM proofs
       WHERE spent_at IS NULL GROUP BY mint_url ORDER BY mint_url`,
  );
  return {
    /** Sales that were paid since, and ecash that no mint has called SPENT so far. */
    since: (unixSeconds: number): Summary => ({ sales: sales.all(unixSeconds), balances: balances.all() }),
  };
}
