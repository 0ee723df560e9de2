import {
  buildPayRequest,
  chooseTier,
  descriptionHash,
  type PayRequest,
  type Tier,
} from "../../protocol/lnurl.ts";
import type { Bought, Price } from "../../protocol/price.ts";
import {
  type Cipher,
  checkPurchaseComment,
  type PurchaseComment,
  parsePurchaseComment,
} from "../../protocol/purchase-comment.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { keyHashOf } from "../claimant.ts";
import { checkQuantity, type Offer, PROTOCOL } from "../offer.ts";
import type { InvoiceRequest } from "./lnurl-request.ts";

/** What a buyer asks an invoice for, checked against the offer. */
export interface Order {
  price: Price;
  quantity: Bought;
  amountMsat: number;
  clientKey: string;
  keyHash: string;
  /** How the success action is sealed. */
  cipher: Cipher;
  /** Of the metadata of the tier that `p` names, whichever tier is bought (LUD-06). */
  descriptionHash: string;
}

interface OrderReaderParts {
  offer: Offer;
  operatorPubkey: string;
  /** The form of the success action where the order does not name one. */
  successAction: "lud10" | "v1";
  /** An invoice's amount must be a multiple of this. */
  stepMsat: number;
  claimSecret: Buffer;
}

/** Reads what comes to LNURL-pay. Each throws `Refusal` for what the buyer is to be told. */
export function createOrderReader(parts: OrderReaderParts) {
  const { offer, operatorPubkey, stepMsat } = parts;

  function payRequestOf(tier: Tier): PayRequest {
    const { publicHost, dTag, minPurchase: min, maxPurchase: max } = offer;
    return buildPayRequest({ publicHost, operatorPubkey, dTag, tier, min, max });
  }

  function tierOf(p: string | undefined): Tier {
    const chosen = chooseTier(p, offer.tiers);
    if (!chosen.ok) throw new Refusal(chosen.reason, chosen.message);
    return chosen.tier;
  }

  function readAmount(text: string | undefined): number {
    const amountMsat = /^[1-9]\d{0,14}$/.test(text ?? "") ? Number(text) : undefined;
    if (amountMsat === undefined) {
      throw new Refusal("bad-request", "amount is missing or no number: send millisatoshi, such as 1000000.");
    }
    if (amountMsat % stepMsat !== 0) {
      throw new Refusal(
        "amount-mismatch",
        "this operator's node takes whole sat only: send a multiple of 1000 msat.",
      );
    }
    return amountMsat;
  }

  function readComment(text: string | undefined, defaultPrice: Price) {
    const parsed = parsePurchaseComment(text);
    if (!parsed.ok) throw new Refusal(parsed.reason, parsed.message);
    const checked = checkPurchaseComment(parsed.comment, {
      coordinate: offer.coordinate,
      prices: offer.prices(),
      defaultPrice,
      protocols: offer.protocols.filter((protocol) => protocol === PROTOCOL),
      serverKey: offer.serverPublicKey,
    });
    if (!checked.ok) throw new Refusal(checked.reason, checked.message);
    const { price, clientPubkey: clientKey } = checked;
    if (price.currency.toLowerCase() !== "sat") {
      throw new Refusal("no-sat-tier", "That tier is not priced in sat, so Lightning does not buy it.");
    }
    return { price, clientKey, cipher: cipherFor(parsed.comment) };
  }

  /** Plain wallets know LUD-10 alone, and a bare key is what they send. */
  function cipherFor(comment: PurchaseComment): Cipher {
    if (comment.form === "key") return "aes-256-cbc";
    return comment.cipher ?? (parts.successAction === "v1" ? "aes-256-gcm" : "aes-256-cbc");
  }

  return {
    payRequest: (p: string | undefined): PayRequest => payRequestOf(tierOf(p)),
    read({ tier: p, amount, comment }: InvoiceRequest): Order {
      const tier = tierOf(p);
      const amountMsat = readAmount(amount);
      const { price, clientKey, cipher } = readComment(comment, tier.price);
      return {
        price,
        quantity: checkQuantity(amountMsat / 1000, price, offer),
        amountMsat,
        clientKey,
        keyHash: keyHashOf(parts.claimSecret, clientKey),
        cipher,
        descriptionHash: descriptionHash(payRequestOf(tier).metadata),
      };
    },
  };
}
