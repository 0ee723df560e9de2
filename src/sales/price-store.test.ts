import { afterEach, expect, it } from "vitest";
import { openBook } from "../db/open-book.ts";
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
