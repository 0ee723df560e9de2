import {
  type Bought,
  bought,
  checkBounds,
  type Price,
  payableRange,
  type Quantity,
} from "../protocol/price.ts";
import { Refusal } from "../protocol/refusal.ts";

/** What this daemon serves, whatever else its listing names. */
export const PROTOCOL = "wireguard";

/** What is on offer. */
export interface Offer {
  publicHost: string;
  coordinate: string;
  dTag: string;
  protocols: readonly string[];
  /** The tiers of the listing, in its order. */
  tiers: readonly Price[];
  /** The tiers on offer, then those still honoured after a change. */
  prices(): readonly Price[];
  minPurchase: Quantity | undefined;
  maxPurchase: Quantity | undefined;
  serverPublicKey: string;
}

/** Beyond these, ends and sums could leave what dates and integers hold. */
const LONGEST_PURCHASE_SECONDS = 10 * 365 * 86_400;
const LARGEST_PURCHASE_BYTES = 1000 * 2 ** 40;

/**
 * What `paidSat` buys in a tier. Throws `Refusal`: `amount-mismatch` below one unit, `below-min-purchase`,
 * `above-max-purchase`.
 */
export function checkQuantity(
  paidSat: number,
  price: Price,
  { minPurchase, maxPurchase }: Pick<Offer, "minPurchase" | "maxPurchase">,
): Bought {
  const { minAmount, maxAmount } = payableRange(price, minPurchase, maxPurchase);
  const inWords = (bound: string) => `in this tier a purchase is ${bound} sat, the payment is ${paidSat}`;
  if (paidSat < Math.min(price.amount, minAmount)) {
    throw new Refusal("amount-mismatch", inWords(`at least ${minAmount}`));
  }
  const quantity = bought(paidSat, price);
  if (quantity.seconds > LONGEST_PURCHASE_SECONDS || quantity.bytes > LARGEST_PURCHASE_BYTES) {
    throw new Refusal("above-max-purchase", "no purchase is for more than ten years, or a thousand TiB");
  }
  const beyond = checkBounds(quantity, minPurchase, maxPurchase);
  if (beyond) {
    const bound = beyond === "below-min-purchase" ? `at least ${minAmount}` : `at most ${maxAmount}`;
    throw new Refusal(beyond, inWords(bound));
  }
  return quantity;
}
