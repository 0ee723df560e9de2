import { getEventHash } from "nostr-tools/pure";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import {
  type EventTemplate,
  firstTag,
  firstValue,
  isAuthentic,
  isNostrEvent,
  type NostrEvent,
  tagsNamed,
  tagValues,
} from "./event.ts";
import { AUTHORIZATION_KIND } from "./marketplace.ts";
import { parsePlainNumber } from "./plain-number.ts";
import { describePrice, type Price, priceTag, readPriceTag, samePrice } from "./price.ts";
import { type PurchaseReason, Refusal } from "./refusal.ts";
import { isSameHost } from "./server-host.ts";

const ACTION = "vpn-purchase";
const LIFETIME_SECONDS = 300;
const MAX_HEADER_LENGTH = 16_384;
const MAX_TAGS = 100;

/** The offer that an authorization is held against. */
export interface AuthorizedOffer {
  /** Unix seconds. */
  now: number;
  /** `server.public_host`: `host` or `host:port`. */
  publicHost: string;
  /** The listing's address: `listingCoordinate`. */
  coordinate: string;
  /** Every tier to honour, former ones in their grace time included. */
  prices: readonly Price[];
}

/**
 * The buyer's event from an `Authorization` header (BUD-11, kind 24242), its id and signature verified, by a faster
 * verifier where one is given. Throws `Refusal` `bad-request`, `bad-signature`, `wrong-kind` or `wrong-action`, all
 * `inAuthorization`.
 */
export function readAuthorization(header: string | undefined, verify = isAuthentic): NostrEvent {
  const event = decodeHeader(header);
  if (getEventHash(event) !== event.id) {
    throw atFault(
      "bad-signature",
      "The authorization's id is not the hash of its content: sign the event anew.",
    );
  }
  if (event.kind !== AUTHORIZATION_KIND) {
    throw atFault("wrong-kind", `The authorization must be an event of kind ${AUTHORIZATION_KIND}.`);
  }
  if (firstTag(event, "t")?.[1] !== ACTION) {
    throw atFault("wrong-action", `The authorization's first "t" tag must be ["t","${ACTION}"].`);
  }
  // Curve work last: nobody makes us do it with an event that could not pass anyway.
  if (!verify(event)) {
    throw atFault(
      "bad-signature",
      "The authorization's signature is not that of its pubkey: sign the event anew.",
    );
  }
  return event;
}

function decodeHeader(header: string | undefined): NostrEvent {
  if (!header) {
    throw atFault(
      "bad-request",
      "The Authorization header is missing: send `Nostr <base64 of the signed event>`.",
    );
  }
  if (header.length > MAX_HEADER_LENGTH) {
    throw atFault("bad-request", `The Authorization header is longer than ${MAX_HEADER_LENGTH} characters.`);
  }
  const encoded = /^\s*nostr\s+(\S+)\s*$/i.exec(header)?.[1];
  if (encoded === undefined) {
    throw atFault("bad-request", "The Authorization header must read `Nostr <base64 of the signed event>`.");
  }
  const event = decodeJson(encoded);
  if (!isNostrEvent(event)) {
    throw atFault(
      "bad-request",
      "The Authorization header must hold a signed Nostr event as JSON in base64.",
    );
  }
  if (event.tags.length > MAX_TAGS) {
    throw atFault("bad-request", `The authorization has more than ${MAX_TAGS} tags.`);
  }
  return event;
}

function decodeJson(encoded: string): unknown {
  const bytes = decodeBase64(encoded);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function atFault(reason: PurchaseReason, message: string): Refusal {
  return new Refusal(reason, message, { inAuthorization: true });
}

/**
 * The tier that the buyer authorized: of several `price` tags the first that is on offer. Throws `Refusal`
 * `no-expiration`, `expired-auth`, `wrong-server`, `no-listing`, `unknown-listing`, `no-price`, `price-mismatch`.
 */
export function checkAuthorization(event: NostrEvent, offer: AuthorizedOffer): Price {
  checkExpiration(event, offer.now);
  if (!isSameHost(firstValue(event, "server") ?? "", offer.publicHost)) {
    throw new Refusal(
      "wrong-server",
      `The authorization's first "server" tag must be ["server","${offer.publicHost}"].`,
    );
  }
  checkListing(event, offer.coordinate);
  return findTier(event, offer.prices);
}

function checkExpiration(event: NostrEvent, now: number): void {
  const expirations = tagValues(event, "expiration").flatMap((text) => parsePlainNumber(text) ?? []);
  const expiration = expirations.at(-1);
  if (expiration === undefined) {
    throw new Refusal("no-expiration", 'The authorization needs a tag ["expiration","<unix seconds>"].');
  }
  if (expiration <= now) {
    throw new Refusal(
      "expired-auth",
      "The authorization has expired: sign a new one, and check this device's clock.",
    );
  }
}

function checkListing(event: NostrEvent, coordinate: string): void {
  const targets = tagsNamed(event, "a");
  if (targets.length === 0) {
    throw new Refusal("no-listing", `The authorization needs a tag ["a","${coordinate}"].`);
  }
  if (!targets.some((tag) => tag[1] === coordinate)) {
    throw new Refusal(
      "unknown-listing",
      `The authorization's "a" tag names a listing that is not sold here; this one is ${coordinate}.`,
    );
  }
}

function findTier(event: NostrEvent, prices: readonly Price[]): Price {
  const tags = tagsNamed(event, "price");
  if (tags.length === 0) {
    throw new Refusal(
      "no-price",
      'The authorization needs a tag ["price","<amount>","<currency>","<unit>"].',
    );
  }
  for (const tag of tags) {
    const wanted = readPriceTag(tag);
    const tier = wanted && prices.find((price) => samePrice(price, wanted));
    if (tier) return tier;
  }
  throw new Refusal(
    "price-mismatch",
    `The authorization's "price" tag is not on offer; on offer: ${prices.map(describePrice).join(", ")}.`,
  );
}

/** The buyer's side: the event to sign. `expiresInSeconds` is 300 when left out. */
export function buildAuthorization(purchase: {
  now: number;
  publicHost: string;
  coordinate: string;
  price: Price;
  expiresInSeconds?: number | undefined;
}): EventTemplate {
  const expiration = purchase.now + (purchase.expiresInSeconds ?? LIFETIME_SECONDS);
  return {
    kind: AUTHORIZATION_KIND,
    created_at: purchase.now,
    content: "Purchase VPN access",
    tags: [
      ["t", ACTION],
      ["expiration", String(expiration)],
      ["server", purchase.publicHost],
      ["a", purchase.coordinate],
      priceTag(purchase.price),
    ],
  };
}

/** The `Authorization` header's value. */
export function encodeAuthorization(event: NostrEvent): string {
  const { id, pubkey, created_at, kind, tags, content, sig } = event;
  const json = JSON.stringify({ id, pubkey, created_at, kind, tags, content, sig });
  return `Nostr ${encodeBase64(new TextEncoder().encode(json))}`;
}
