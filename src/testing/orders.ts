import type { Price } from "../protocol/price.ts";
import type { Order } from "./buyer.ts";
import type { Operator } from "./operator.ts";

let clients = 0;

/** An `X-Forwarded-For` that nobody used before: limits count per client address. */
export function freshClient(): Record<string, string> {
  clients += 1;
  return { "x-forwarded-for": `198.18.${clients >> 8}.${clients & 255}` };
}

/** An order for one of the operator's tiers, from a client of its own. */
export function orderAt(
  operator: Operator,
  price: { amount: number; unit: Price["unit"] },
  more: Partial<Order> = {},
): Order {
  return {
    url: operator.url,
    publicHost: operator.publicHost,
    operatorPubkey: operator.pubkey,
    dTag: operator.dTag,
    price: { currency: "sat", ...price },
    ...more,
    headers: { ...freshClient(), ...more.headers },
  };
}
