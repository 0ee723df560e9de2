import { expect, it } from "vitest";
import type { Price, Quantity } from "../protocol/price.ts";
import { Refusal } from "../protocol/refusal.ts";
import { checkQuantity } from "./offer.ts";

const DAY: Price = { amount: 100, currency: "sat", unit: "day" };
const bounds = (minPurchase?: Quantity, maxPurchase?: Quantity) => ({ minPurchase, maxPurchase });

it.each([
  ["nothing said of a least", 99, bounds(), "amount-mismatch", 100],
  ["an hour, which costs less than the unit", 4, bounds({ amount: 1, unit: "hour" }), "amount-mismatch", 5],
  ["less than the unit, which is not enough", 99, bounds({ amount: 2, unit: "day" }), "amount-mismatch", 200],
  ["the unit, which is not enough", 100, bounds({ amount: 2, unit: "day" }), "below-min-purchase", 200],
])("a payment too small is told what suffices: %s", (_name, paidSat, bound, reason, least) => {
  const refusal = new Refusal(
    reason as "amount-mismatch",
    `in this tier a purchase is at least ${least} sat, the payment is ${paidSat}`,
  );
  expect(() => checkQuantity(paidSat, DAY, bound)).toThrow(refusal);
  expect(checkQuantity(least, DAY, bound).seconds).toBeGreaterThan(0);
});
