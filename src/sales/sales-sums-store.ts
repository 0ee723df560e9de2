import type { Book } from "../db/open-book.ts";

/** Sales that were paid in one period, and their face value. */
export interface SalesSum {
  sales: number;
  sat: number;
}

/** One way to pay: a mint, or Lightning. */
export interface SalesByWay {
  method: "cashu" | "lightning";
  /** Null over Lightning. */
  mintUrl: string | null;
  day: SalesSum;
  week: SalesSum;
  month: SalesSum;
}

export type SalesSumsStore = ReturnType<typeof createSalesSumsStore>;

const DAY_SECONDS = 86_400;

interface SumRow {
  method: "cashu" | "lightning";
  mintUrl: string | null;
  daySales: number;
  daySat: number;
  weekSales: number;
  weekSat: number;
  monthSales: number;
  monthSat: number;
}

/** What came in lately, from the index by time of payment alone: a year of sales is not read for a month of them. */
export function createSalesSumsStore(book: Book) {
  const since = (name: string) => `count(*) FILTER (WHERE paid_at > ?) AS ${name}Sales,
    coalesce(sum(face_sat) FILTER (WHERE paid_at > ?), 0) AS ${name}Sat`;
  const sums = book.prepare<number[], SumRow>(
    `SELECT method, mint_url AS mintUrl, ${since("day")}, ${since("week")}, ${since("month")}
     FROM sales INDEXED BY sales_by_payment WHERE paid_at > ? GROUP BY method, mint_url ORDER BY method, mint_url`,
  );
  const unpaidInvoices = book
    .prepare<[], number>("SELECT count(*) FROM sales WHERE state IN ('invoicing', 'invoiced')")
    .pluck();

  return {
    /** Of the last day, the last seven and the last thirty, by method and mint. */
    lately(now: number): SalesByWay[] {
      const [day, week, month] = [1, 7, 30].map((days) => now - days * DAY_SECONDS) as [
        number,
        number,
        number,
      ];
      return sums.all(day, day, week, week, month, month, month).map((row) => ({
        method: row.method,
        mintUrl: row.mintUrl,
        day: { sales: row.daySales, sat: row.daySat },
        week: { sales: row.weekSales, sat: row.weekSat },
        month: { sales: row.monthSales, sat: row.monthSat },
      }));
    },
    unpaidInvoices: () => unpaidInvoices.get() ?? 0,
  };
}
