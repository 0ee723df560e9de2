import { afterEach, beforeEach, expect, it } from "vitest";
import { newKey, openSessionBook, type SessionBook } from "../testing/session-book.ts";
import { createSalesSumsStore } from "./sales-sums-store.ts";

const NOW = 1_800_000_000;
const DAY = 86_400;

let open: SessionBook;
beforeEach(async () => {
  open = await openSessionBook();
});
afterEach(() => open.close());

function paid(count: number, agoSeconds: number, method: string, mintUrl: string | null): void {
  const id = open.granted(newKey(), { seconds: 60, bytes: 0 }, NOW);
  for (let sold = 0; sold < count; sold++) {
    open.book
      .prepare("UPDATE sales SET paid_at = ?, method = ?, mint_url = ?, face_sat = 10 WHERE sale_id = ?")
      .run(NOW - agoSeconds, method, mintUrl, open.sale(id, "granted"));
  }
}

it("sums up the day, the week and the month, by method and mint, and leaves out what is older or unpaid", () => {
  paid(2, DAY - 1, "cashu", "https://a.example");
  paid(3, DAY, "cashu", "https://a.example");
  paid(5, 7 * DAY, "cashu", "https://b.example");
  paid(7, 0, "lightning", null);
  paid(9, 30 * DAY, "lightning", null);
  open.sale("none", "swapping");
  const none = { sales: 0, sat: 0 };
  expect(createSalesSumsStore(open.book).lately(NOW)).toEqual([
    {
      method: "cashu",
      mintUrl: "https://a.example",
      day: { sales: 2, sat: 20 },
      week: { sales: 5, sat: 50 },
      month: { sales: 5, sat: 50 },
    },
    { method: "cashu", mintUrl: "https://b.example", day: none, week: none, month: { sales: 5, sat: 50 } },
    {
      method: "lightning",
      mintUrl: null,
      day: { sales: 7, sat: 70 },
      week: { sales: 7, sat: 70 },
      month: { sales: 7, sat: 70 },
    },
  ]);
});

it("reads the index by time of payment, and nothing else", () => {
  const plan = open.book
    .prepare(
      `EXPLAIN QUERY PLAN SELECT method, mint_url, sum(face_sat) FROM sales INDEXED BY sales_by_payment
         WHERE paid_at > 5 GROUP BY method, mint_url`,
    )
    .all() as { detail: string }[];
  expect(plan[0]?.detail).toBe("SEARCH sales USING COVERING INDEX sales_by_payment (paid_at>?)");
});
