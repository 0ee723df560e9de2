import { SPEC_VERSION } from "./marketplace.ts";
import { describePrice, type Price, priceTag, readPriceTag, samePrice } from "./price.ts";
import { Refusal } from "./refusal.ts";
import { checkClientKey, isWireguardKey } from "./wireguard-key.ts";

/** LUD-12 `commentAllowed`. */
export const COMMENT_MAX_CHARACTERS = 1024;

const CIPHERS = ["aes-256-cbc", "aes-256-gcm"] as const;

/** How the success action is sealed. */
export type Cipher = (typeof CIPHERS)[number];

export interface PurchaseOrder {
  /** Listing coordinate. */
  listing: string;
  price: Price;
  protocol: string;
  clientPubkey: string;
  /** Left out: the form that the operator has set. */
  cipher?: Cipher | undefined;
}

/** The marketplace's JSON, or what a plain wallet can send: a WireGuard key and nothing else. */
export type PurchaseComment = ({ form: "order" } & PurchaseOrder) | { form: "key"; clientPubkey: string };

export type CommentReason =
  | "bad-request"
  | "version-mismatch"
  | "no-listing"
  | "unknown-listing"
  | "bad-price"
  | "price-mismatch"
  | "no-protocol"
  | "unsupported-protocol"
  | "no-client-pubkey";

/** `message` is for a person, and names the field and the mend. */
export interface CommentFault {
  ok: false;
  reason: CommentReason;
  message: string;
}

/** The offer that a comment is held against. */
export interface CommentOffer {
  coordinate: string;
  prices: readonly Price[];
  /** The tier that `p` names, which a bare key buys. */
  defaultPrice: Price;
  protocols: readonly string[];
  /** The server's own WireGuard key. */
  serverKey: string;
}

/**
 * Form only. Reasons: `no-client-pubkey`, `bad-request`, `version-mismatch`, `no-listing`, `bad-price`,
 * `no-protocol`.
 */
export function parsePurchaseComment(
  text: string | undefined,
): { ok: true; comment: PurchaseComment } | CommentFault {
  const comment = text?.trim() ?? "";
  if (comment === "") {
    return fault("no-client-pubkey", "The comment is empty: put your WireGuard public key into it.");
  }
  if (comment.length > COMMENT_MAX_CHARACTERS) {
    return fault("bad-request", `The comment is longer than ${COMMENT_MAX_CHARACTERS} characters.`);
  }
  const key = withPlus(comment);
  if (isWireguardKey(key)) return { ok: true, comment: { form: "key", clientPubkey: key } };
  const order = parseObject(comment);
  if (order === undefined) {
    return fault(
      "bad-request",
      "The comment must be a WireGuard public key, or the purchase as a JSON object.",
    );
  }
  return readOrder(order);
}

/** A wallet that does not percent-encode its query sends a key's `+`, which arrives as a space. */
function withPlus(key: string): string {
  return key.replaceAll(" ", "+");
}

type Fields = { [name: string]: unknown };

function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    return undefined;
  }
}

function readOrder(order: Fields): { ok: true; comment: PurchaseComment } | CommentFault {
  const { version, listing, protocol, client_pubkey: clientPubkey, cipher } = order;
  if (version !== SPEC_VERSION) return fault("version-mismatch", `version must be "${SPEC_VERSION}".`);
  if (!isText(listing)) return fault("no-listing", 'listing is missing: send "30402:<operator pubkey>:<d>".');
  const price = isTag(order.price) ? readPriceTag(order.price) : undefined;
  if (price === undefined) {
    return fault("bad-price", 'price must be ["price","<amount>","<currency>","<unit>"].');
  }
  if (!isText(protocol)) return fault("no-protocol", 'protocol is missing: send "wireguard".');
  if (clientPubkey === undefined || clientPubkey === null || clientPubkey === "") {
    return fault("no-client-pubkey", "client_pubkey is missing: send your WireGuard public key.");
  }
  if (!isText(clientPubkey)) return fault("bad-request", "client_pubkey must be a WireGuard public key.");
  const common = { form: "order", listing, price, protocol, clientPubkey: withPlus(clientPubkey) } as const;
  if (cipher === undefined || cipher === null) return { ok: true, comment: common };
  if (!isCipher(cipher))
    return fault("bad-request", `cipher must be one of ${CIPHERS.join(", ")}, or left out.`);
  return { ok: true, comment: { ...common, cipher } };
}

/**
 * Holds a comment against the offer and gives the tier and key to sell to. Reasons: `unknown-listing`,
 * `price-mismatch`, `unsupported-protocol`, `bad-request` (a key that no tunnel can come up with).
 */
export function checkPurchaseComment(
  comment: PurchaseComment,
  offer: CommentOffer,
): { ok: true; price: Price; clientPubkey: string } | CommentFault {
  if (comment.form === "key") return withKey(offer.defaultPrice, comment.clientPubkey, offer.serverKey);
  const { listing, price, protocol, clientPubkey } = comment;
  if (listing !== offer.coordinate) {
    return fault("unknown-listing", `listing is not sold here; this one is ${offer.coordinate}.`);
  }
  const tier = offer.prices.find((offered) => samePrice(offered, price));
  if (tier === undefined) {
    const tiers = offer.prices.map(describePrice).join(", ");
    return fault("price-mismatch", `price is not on offer; on offer: ${tiers}.`);
  }
  if (!offer.protocols.includes(protocol)) {
    return fault(
      "unsupported-protocol",
      `protocol is not sold here; on offer: ${offer.protocols.join(", ")}.`,
    );
  }
  return withKey(tier, clientPubkey, offer.serverKey);
}

function withKey(
  price: Price,
  key: string,
  serverKey: string,
): { ok: true; price: Price; clientPubkey: string } | CommentFault {
  try {
    return { ok: true, price, clientPubkey: checkClientKey(key, serverKey) };
  } catch (error) {
    if (error instanceof Refusal) return fault("bad-request", error.message);
    throw error;
  }
}

/** The buyer's side. Stays within `COMMENT_MAX_CHARACTERS`, unless the listing's `d` is very long. */
export function buildPurchaseComment(order: PurchaseOrder): string {
  return JSON.stringify({
    version: SPEC_VERSION,
    listing: order.listing,
    price: priceTag(order.price),
    protocol: order.protocol,
    client_pubkey: order.clientPubkey,
    ...(order.cipher ? { cipher: order.cipher } : {}),
  });
}

function fault(reason: CommentReason, message: string): CommentFault {
  return { ok: false, reason, message };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isTag(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isCipher(value: unknown): value is Cipher {
  return CIPHERS.some((cipher) => cipher === value);
}
