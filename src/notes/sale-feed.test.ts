import { beforeEach, expect, it } from "vitest";
import { createSaleFeed, type SaleFeed, type SaleNote, type Sold } from "./sale-feed.ts";

const day: Sold = { method: "cashu", tier: "100 sat/day", amountSat: 100 };
const hour: Sold = { method: "lightning", tier: "10 sat/hour", amountSat: 30 };
const MINUTE_MS = 60_000;

let atMs: number;
let feed: SaleFeed;

beforeEach(() => {
  atMs = 1_000;
  feed = createSaleFeed({ nowMs: () => atMs });
});

function sell(count: number, sold = day): SaleNote[] {
  for (let n = 0; n < count; n++) feed.granted(sold);
  return feed.take();
}

function waitMinutes(minutes: number): SaleNote[] {
  const notes: SaleNote[] = [];
  for (let n = 0; n < minutes; n++) {
    atMs += MINUTE_MS;
    notes.push(...feed.take());
  }
  return notes;
}

it("tells ten sales one by one, and each only once", () => {
  expect(sell(10)).toEqual(Array.from({ length: 10 }, () => ({ kind: "sale", sold: day })));
  expect(waitMinutes(60)).toEqual([]);
});

it("sums up what is more than ten in ten minutes, by tier and method, ten minutes later", () => {
  sell(10);
  expect([...sell(3), ...sell(2, hour)]).toEqual([]);
  expect(waitMinutes(9)).toEqual([]);
  expect(waitMinutes(1)).toEqual([
    {
      kind: "sales",
      groups: [
        { ...day, amountSat: 300, count: 3 },
        { ...hour, amountSat: 60, count: 2 },
      ],
    },
  ]);
  expect(sell(1)).toHaveLength(1);
});

it("goes on summing up for as long as more than ten come", () => {
  sell(25);
  const [first] = waitMinutes(10);
  expect(first).toMatchObject({ groups: [{ count: 15 }] });
  expect(sell(12)).toEqual([]);
  expect(waitMinutes(10)).toMatchObject([{ groups: [{ count: 12 }] }]);
  expect(sell(1)).toEqual([]);
  expect(waitMinutes(10)).toMatchObject([{ groups: [{ count: 1 }] }]);
  expect(sell(1)).toMatchObject([{ kind: "sale" }]);
});

it("tells slow sales one by one, however many", () => {
  for (let n = 0; n < 50; n++) {
    expect(sell(1)).toHaveLength(1);
    expect(waitMinutes(2)).toEqual([]);
  }
});

it("has told all when it ends", () => {
  sell(10);
  feed.granted(day);
  expect(feed.rest()).toMatchObject([{ kind: "sales", groups: [{ count: 1 }] }]);
  expect(feed.rest()).toEqual([]);
});
