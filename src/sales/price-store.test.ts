import Database from "better-sqlite3";
import { afterEach, expect, it } from "vitest";
import { openBook } from "../db/open-book.ts";
import { migrations } from "../db/schema.ts";
import type { Price } from "../protocol/price.ts";
import { makeTempDir } from "../testing/temp-dir.ts";
import { createPriceStore } from "./price-store.ts";

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step();
});

it("remembers when a tier was last on offer, so that it is honoured for a while", async () => {
  const folder = await makeTempDir();
  cleanUp.push(folder.remove);
  const book = openBook(`${folder.path}/book.db`);
  const prices = createPriceStore(book);
  const old = { amount: 100, currency: "sat", unit: "day" } as const;
  const fresh = { amount: 200, currency: "sat", unit: "day" } as const;
  prices.offered([old], 1000);
  prices.offered([old], 2000);
  prices.offered([fresh], 3000);
  expect(prices.withOfferedSince([fresh], 1999)).toEqual([fresh, old]);
  expect(prices.withOfferedSince([fresh], 2000)).toEqual([fresh]);
  expect(prices.withOfferedSince([fresh], 9999)).toEqual([fresh]);
  book.close();
});

it("goes on with the tiers of a book from before there were rates", async () => {
  const folder = await makeTempDir();
  cleanUp.push(folder.remove);
  const path = `${folder.path}/book.db`;
  const former = new Database(path);
  for (const statements of migrations.slice(0, 5)) former.exec(statements);
  former.exec(`CREATE TABLE europa_schema (version INTEGER NOT NULL); INSERT INTO europa_schema VALUES (5);
    INSERT INTO offered_prices VALUES (100, 'sat', 'day', 1000)`);
  former.close();
  const book = openBook(path);
  const offered = createPriceStore(book).withOfferedSince([], 999);
  expect(offered).toStrictEqual([{ amount: 100, currency: "sat", unit: "day" }]);
  book.close();
});

it("honours a rate that was lowered since, and none that a tier never named", async () => {
  const folder = await makeTempDir();
  cleanUp.push(folder.remove);
  const book = openBook(`${folder.path}/book.db`);
  const tier = (rateMbit?: number) => ({ amount: 100, currency: "sat", unit: "day" as const, rateMbit });
  const rates = (today: Price, defaultRate: number | null = null) =>
    createPriceStore(book, defaultRate)
      .withOfferedSince([today], 500)
      .map(({ rateMbit }) => rateMbit);
  const { offered } = createPriceStore(book);
  offered([tier()], 1000);
  expect(rates(tier(10))).toEqual([10]);
  offered([tier(50)], 1000);
  offered([tier(20)], 1000);
  expect(rates(tier(10))).toEqual([50]);
  expect(rates(tier(100))).toEqual([100]);
  expect(rates(tier())).toEqual([undefined]);
  expect(rates(tier(), 30)).toEqual([50]);
  expect(createPriceStore(book, 30).withOfferedSince([], 500)).toEqual([tier(50)]);
  book.close();
});
