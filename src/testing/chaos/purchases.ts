import type { Answer, Buyer, Order } from "../buyer.ts";
import type { Operator } from "../operator.ts";
import { createClientAddresses } from "./client-addresses.ts";
import type { Payment } from "./payments.ts";

/** What a buyer knows of his purchase once he need not ask any more. */
export type Outcome = { kind: "granted"; address: string } | { kind: "refused"; reason: string };

/** Asks the operator's daemon for what a payment buys. Undefined: nobody was there, or the connection broke. */
export type Purchases = (buyer: Buyer, payment: Payment) => Promise<Answer | undefined>;

const SIGNED_FOR_MS = 200_000;
/** Said of the moment, not of the token. */
const ASK_AGAIN = new Set(["mint-unreachable", "tunnel-unavailable", "rate-limited", "internal"]);

export function createPurchases(operator: Operator): Purchases {
  const clientAddress = createClientAddresses();
  /** A buyer repeats the very request: what he signed is good for minutes. */
  const signed = new Map<string, { authorization: string; untilMs: number }>();

  function signedOnce(buyer: Buyer, order: Order): string {
    const name = `${buyer.wireguard.publicKey} ${order.token}`;
    const known = signed.get(name);
    if (known && known.untilMs > Date.now()) return known.authorization;
    const authorization = buyer.authorization(order);
    signed.set(name, { authorization, untilMs: Date.now() + SIGNED_FOR_MS });
    return authorization;
  }

  return (buyer, { plan, token }) => {
    const order: Order = {
      url: operator.url,
      publicHost: operator.publicHost,
      operatorPubkey: operator.pubkey,
      dTag: operator.dTag,
      price: { ...plan.tier, currency: "sat" },
      token,
      headers: clientAddress(),
    };
    return buyer.purchase({ ...order, authorization: signedOnce(buyer, order) }).catch(() => undefined);
  };
}

/** Undefined when the buyer is to ask again. */
export function outcomeOf(answer: Answer | undefined): Outcome | undefined {
  if (answer === undefined) return undefined;
  if (answer.status !== 200) {
    const reason = answer.body.reason ?? `HTTP ${answer.status}`;
    return ASK_AGAIN.has(reason) ? undefined : { kind: "refused", reason };
  }
  const address = /^Address = (\S+)\/32$/m.exec(answer.body.config ?? "")?.[1];
  if (address === undefined) throw new Error("a .conf came without an address");
  return { kind: "granted", address };
}

export function describeOutcome(outcome: Outcome | undefined): string {
  return outcome?.kind === "refused" ? outcome.reason : "with a .conf";
}
