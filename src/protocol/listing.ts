import { type AuthoredEvent, firstTag, firstValue, isAuthoredEvent, tagsNamed, tagValues } from "./event.ts";
import { geohashLadder, mostSpecificGeohashes } from "./geohash.ts";
import { LISTING_KIND, MARKETPLACE_TOPICS, VPN_PROTOCOLS } from "./marketplace.ts";
import { type PaymentMethod, paymentTag, readPaymentTag } from "./payment-method.ts";
import { formatPlainNumber, parsePositiveNumber } from "./plain-number.ts";
import { isUnit, type Price, priceTag, type Quantity, readPriceTag } from "./price.ts";

export type { PaymentMethod } from "./payment-method.ts";

const STALE_AFTER_SECONDS = 30 * 86_400;

export interface Region {
  /** ISO 3166-1; empty when a listing gives a geohash alone. */
  country: string;
  /** ISO 3166-2. */
  sub?: string | undefined;
  /** The most precise one; the shorter prefixes are made and dropped on the way. */
  geohash?: string | undefined;
}

/** How much the operator can serve, in a unit of his own words (`Mbit/s`, `peers`). */
export interface Capacity {
  amount: number;
  unit: string;
}

/** An operator's offer, as NIP-99 carries it. */
export interface Listing {
  dTag: string;
  title: string;
  /** Markdown. */
  content: string;
  /** Lower case: `wireguard`, `openvpn`. */
  protocols: string[];
  topics: string[];
  prices: Price[];
  paymentMethods: PaymentMethod[];
  /** `sold`: paused or full. */
  status: "active" | "sold";
  region?: Region | undefined;
  summary?: string | undefined;
  minPurchase?: Quantity | undefined;
  maxPurchase?: Quantity | undefined;
  /** Unix seconds of the first publication. */
  publishedAt?: number | undefined;
  image?: string | undefined;
  capacity?: Capacity | undefined;
  policies: string[];
  policyUrl?: string | undefined;
  protocolConfigUrl?: string | undefined;
}

export type ListingFlaw =
  | "wrong-kind"
  | "not-europa-protocol"
  | "no-protocol"
  | "no-identifier"
  | "no-title"
  | "no-price"
  | "no-payment";

export type ParsedListing =
  | { ok: true; listing: Listing; pubkey: string; createdAt: number; coordinate: string }
  | { ok: false; reason: ListingFlaw };

/** NIP-01 address of a listing, as `a` tags carry it. */
export function listingCoordinate(pubkey: string, dTag: string): string {
  return `${LISTING_KIND}:${pubkey}:${dTag}`;
}

/**
 * Not refreshed for 30 days. A `sold` listing is never stale: its operator said so himself. `now` in unix
 * seconds.
 */
export function isStale(event: AuthoredEvent, now: number): boolean {
  return readStatus(event) !== "sold" && now - event.created_at > STALE_AFTER_SECONDS;
}

/** Everything but time, author and signature. RangeError for an amount that is negative or no number. */
export function buildListing(listing: Listing): { kind: number; content: string; tags: string[][] } {
  const { region, minPurchase, maxPurchase, capacity } = listing;
  const tags = [
    ["d", listing.dTag],
    ["title", listing.title],
    ...topicTags(listing),
    ...listing.prices.map(priceTag),
    ...listing.paymentMethods.map(paymentTag),
    ...(listing.status === "sold" ? [["status", "sold"]] : []),
    ...(region?.country ? [["location", region.country, ...(region.sub ? [region.sub] : [])]] : []),
    ...geohashLadder(region?.geohash ?? "").map((prefix) => ["g", prefix]),
    ...optionalTag("summary", listing.summary),
    ...(minPurchase ? [amountTag("min-purchase", minPurchase)] : []),
    ...(maxPurchase ? [amountTag("max-purchase", maxPurchase)] : []),
    ...optionalTag("published_at", listing.publishedAt?.toString()),
    ...optionalTag("image", listing.image),
    ...(capacity ? [amountTag("capacity", capacity)] : []),
    ...(listing.policies.length > 0 ? [["policy", ...listing.policies]] : []),
    ...optionalTag("policy-url", listing.policyUrl),
    ...optionalTag("protocol-config", listing.protocolConfigUrl),
  ];
  return { kind: LISTING_KIND, content: listing.content, tags };
}

/** NIP-24 has hashtags in lower case; each stands once. */
function topicTags(listing: Listing): string[][] {
  const topics = [...listing.protocols, ...listing.topics].map((topic) => topic.toLowerCase());
  return [...new Set([...MARKETPLACE_TOPICS, ...topics])].filter(Boolean).map((topic) => ["t", topic]);
}

function amountTag(name: string, quantity: Capacity): string[] {
  return [name, formatPlainNumber(quantity.amount), quantity.unit];
}

function optionalTag(name: string, value: string | undefined): string[][] {
  return value ? [[name, value]] : [];
}

/**
 * Reads anyone's listing; what cannot be read beside the mandatory parts is left out. Does not check the
 * signature. Never throws, whatever the event holds.
 */
export function parseListing(event: AuthoredEvent): ParsedListing {
  if (!isAuthoredEvent(event) || event.kind !== LISTING_KIND) return flawed("wrong-kind");
  const topics = tagValues(event, "t");
  if (!topics.some(isMarketplaceTopic)) return flawed("not-europa-protocol");
  const protocols = [...new Set(topics.filter(isVpnProtocol).map((topic) => topic.toLowerCase()))];
  if (protocols.length === 0) return flawed("no-protocol");
  const dTag = firstValue(event, "d");
  if (dTag === undefined) return flawed("no-identifier");
  const title = firstValue(event, "title");
  if (title === undefined) return flawed("no-title");
  const prices = tagsNamed(event, "price").flatMap((tag) => readPriceTag(tag) ?? []);
  if (prices.length === 0) return flawed("no-price");
  const paymentMethods = tagsNamed(event, "payment").flatMap((tag) => readPaymentTag(tag) ?? []);
  if (paymentMethods.length === 0) return flawed("no-payment");
  const listing: Listing = {
    dTag,
    title,
    content: event.content,
    protocols,
    topics: [...new Set(topics)].filter((topic) => !isMarketplaceTopic(topic) && !isVpnProtocol(topic)),
    prices,
    paymentMethods,
    status: readStatus(event),
    region: readRegion(event),
    summary: firstValue(event, "summary"),
    minPurchase: readQuantity(event, "min-purchase"),
    maxPurchase: readQuantity(event, "max-purchase"),
    publishedAt: readPublishedAt(event),
    image: firstValue(event, "image"),
    capacity: readCapacity(event, "capacity"),
    policies: tagsNamed(event, "policy").flatMap((tag) => tag.slice(1)),
    policyUrl: firstValue(event, "policy-url"),
    protocolConfigUrl: firstValue(event, "protocol-config"),
  };
  const { pubkey, created_at: createdAt } = event;
  return { ok: true, listing, pubkey, createdAt, coordinate: listingCoordinate(pubkey, dTag) };
}

function flawed(reason: ListingFlaw): ParsedListing {
  return { ok: false, reason };
}

export function isMarketplaceTopic(topic: string): boolean {
  return MARKETPLACE_TOPICS.includes(topic.toLowerCase());
}

function isVpnProtocol(topic: string): boolean {
  return VPN_PROTOCOLS.includes(topic.toLowerCase());
}

function readStatus(event: AuthoredEvent): Listing["status"] {
  return firstValue(event, "status") === "sold" ? "sold" : "active";
}

function readRegion(event: AuthoredEvent): Region | undefined {
  const [, country = "", sub] = firstTag(event, "location") ?? [];
  const tips = mostSpecificGeohashes(tagValues(event, "g"));
  const geohash = tips.reduce((longest, tip) => (tip.length > longest.length ? tip : longest), "");
  if (!country && !geohash) return undefined;
  return { country, ...(sub ? { sub } : {}), ...(geohash ? { geohash } : {}) };
}

function readCapacity(event: AuthoredEvent, name: string): Capacity | undefined {
  const [, amountText, unit] = firstTag(event, name) ?? [];
  const amount = parsePositiveNumber(amountText);
  return amount === undefined || !unit ? undefined : { amount, unit };
}

function readQuantity(event: AuthoredEvent, name: string): Quantity | undefined {
  const quantity = readCapacity(event, name);
  return quantity && isUnit(quantity.unit) ? { amount: quantity.amount, unit: quantity.unit } : undefined;
}

function readPublishedAt(event: AuthoredEvent): number | undefined {
  const seconds = parsePositiveNumber(firstValue(event, "published_at"));
  return Number.isInteger(seconds) ? seconds : undefined;
}
