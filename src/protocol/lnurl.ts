import { sha256 } from "@noble/hashes/sha2.js";
import { bech32, hex, utf8 } from "@scure/base";
import { describePrice, type Price, payableRange, type Quantity } from "./price.ts";
import { COMMENT_MAX_CHARACTERS } from "./purchase-comment.ts";

/** LUD-06, what an LNURL's address answers with. Amounts in msat. */
export interface PayRequest {
  tag: "payRequest";
  callback: string;
  minSendable: number;
  maxSendable: number;
  /** LUD-12. */
  commentAllowed: number;
  /** JSON, and hashed as the bytes it is: see `descriptionHash`. */
  metadata: string;
}

/** A price and its place among all prices of the listing, those in other currencies counted. */
export interface Tier {
  index: number;
  price: Price;
}

/** `message` is for a person, and names the mend. */
export interface TierFault {
  ok: false;
  reason: "bad-price" | "no-sat-tier";
  message: string;
}

/** Currency codes are compared without regard to case. */
export function satTiers(prices: readonly Price[]): Tier[] {
  return prices
    .map((price, index) => ({ index, price }))
    .filter(({ price }) => price.currency.toLowerCase() === "sat");
}

/**
 * The tier that `p` names. Left out: the first in sat. A unit: the first in sat with that unit. An index counts all
 * prices in the listing's order, since its `price` tags and `/info` are what a buyer counts in; beyond them, it is
 * the last in sat. Reasons: `no-sat-tier` (none is in sat, or not the one that is named), `bad-price` (names none).
 */
export function chooseTier(
  p: string | undefined,
  prices: readonly Price[],
): { ok: true; tier: Tier } | TierFault {
  const tiers = satTiers(prices);
  const first = tiers[0];
  const last = tiers.at(-1);
  if (first === undefined || last === undefined) {
    return fault("no-sat-tier", "No tier is priced in sat, so none can be bought over Lightning.");
  }
  if (p === undefined) return { ok: true, tier: first };
  const isIndex = /^\d+$/.test(p);
  if (isIndex && Number(p) >= prices.length) return { ok: true, tier: last };
  const isNamed = ({ index, price }: Tier) => (isIndex ? index === Number(p) : price.unit === p);
  const named = tiers.find(isNamed);
  if (named !== undefined) return { ok: true, tier: named };
  const choices = tiers.map(({ index, price }) => `${index} (${describePrice(price)})`).join(", ");
  const isInOtherCurrency = prices.some((price, index) => isNamed({ index, price }));
  return isInOtherCurrency
    ? fault("no-sat-tier", `p names a tier that is not priced in sat; those in sat: ${choices}.`)
    : fault("bad-price", `p must be a tier's index or unit, or be left out; on offer: ${choices}.`);
}

function fault(reason: TierFault["reason"], message: string): TierFault {
  return { ok: false, reason, message };
}

/** Where a tier's LNURL leads. `publicHost` is `host` or `host:port`. */
export function payRequestUrl(publicHost: string, tier: Tier): string {
  return `https://${publicHost}/lnurlp?p=${tier.index}`;
}

/** LUD-06: the string itself counts, byte for byte; wallets hold an invoice's `h` tag against its hash. */
export function payMetadata(operatorPubkey: string, dTag: string, price: Price): string {
  return JSON.stringify([
    ["text/plain", `VPN access: ${describePrice(price)}`],
    ["text/identifier", `${operatorPubkey}:${dTag}`],
  ]);
}

/** Hex, for the `h` tag of an invoice (LUD-06, BOLT11). */
export function descriptionHash(metadata: string): string {
  return hex.encode(sha256(utf8.decode(metadata)));
}

/** 2^53 - 1, above which numbers stop being exact, in whole sat. */
const MOST_MSAT = Math.floor(Number.MAX_SAFE_INTEGER / 1000) * 1000;

/** The document for a tier in sat. `min` and `max` are the listing's bounds. */
export function buildPayRequest({
  publicHost,
  operatorPubkey,
  dTag,
  tier,
  min,
  max,
}: {
  /** `host` or `host:port`. */
  publicHost: string;
  /** 64 hex. */
  operatorPubkey: string;
  dTag: string;
  tier: Tier;
  min: Quantity | undefined;
  max: Quantity | undefined;
}): PayRequest {
  const { minAmount, maxAmount } = payableRange(tier.price, min, max);
  return {
    tag: "payRequest",
    callback: `https://${publicHost}/lnurlp/callback?p=${tier.index}`,
    minSendable: Math.min(minAmount * 1000, MOST_MSAT),
    maxSendable: Math.min(maxAmount * 1000, MOST_MSAT),
    commentAllowed: COMMENT_MAX_CHARACTERS,
    metadata: payMetadata(operatorPubkey, dTag, tier.price),
  };
}

/** LUD-01, in lower case; in a QR code it should stand in upper case, never in both. */
export function encodeLnurl(url: string): string {
  return bech32.encode("lnurl", bech32.toWords(utf8.decode(url)), false);
}

/** What opens a wallet where it is clicked. */
export function lightningUri(url: string): string {
  return `lightning:${encodeLnurl(url)}`;
}
