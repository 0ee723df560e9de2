import { finalizeEvent, generateSecretKey } from "nostr-tools/pure";
import { Relay, useWebSocketImplementation } from "nostr-tools/relay";
import { WebSocket } from "ws";
import type { EventTemplate, NostrEvent } from "../protocol/event.ts";
import { type Listing, listingCoordinate, parseListing } from "../protocol/listing.ts";
import { LISTING_KIND, MARKETPLACE_TOPICS } from "../protocol/marketplace.ts";
import type { Price } from "../protocol/price.ts";
import { buildAuthorization, encodeAuthorization } from "../protocol/purchase-auth.ts";
import { generateWireguardKeys, type WireguardKeyPair } from "./wireguard-keys.ts";

export interface FoundListing {
  listing: Listing;
  operatorPubkey: string;
}

/** A stranger with a relay's URL: finds listings as a directory does. Newest first. */
export async function findListings(relayUrl: string): Promise<FoundListing[]> {
  useWebSocketImplementation(WebSocket);
  const relay = await Relay.connect(relayUrl);
  try {
    const events: NostrEvent[] = [];
    await new Promise<void>((resolve) => {
      relay.subscribe([{ kinds: [LISTING_KIND], "#t": MARKETPLACE_TOPICS.slice(0, 1) }], {
        onevent: (event) => void events.push(event),
        oneose: resolve,
      });
    });
    return events.flatMap((event) => {
      const parsed = parseListing(event);
      return parsed.ok ? [{ listing: parsed.listing, operatorPubkey: event.pubkey }] : [];
    });
  } finally {
    relay.close();
  }
}

export interface Order {
  /** Base URL of the operator's daemon, or the endpoint of its listing. */
  url: string;
  publicHost: string;
  operatorPubkey: string;
  dTag: string;
  price: Price;
  token?: string;
  /** Where the token goes; header unless told. */
  tokenIn?: "header" | "body";
  body?: unknown;
  expiresInSeconds?: number;
  /** The authorization's event before it is signed, for those who sign another one. */
  signInstead?: (template: EventTemplate) => EventTemplate;
  /** The header itself; null leaves it out. */
  authorization?: string | null;
  /** Beside, or in the place of, what a buyer's client sends. */
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** The body as it came. */
  text: string;
  body: { status?: string; reason?: string; message?: string; config?: string; expires_at?: number };
}

export interface Buyer {
  nostrKey: Uint8Array;
  wireguard: WireguardKeyPair;
  authorization(order: Order): string;
  purchase(order: Order): Promise<Answer>;
}

/** A buyer's client: one Nostr key and one WireGuard key, made for the purpose. */
export function createBuyer(
  nostrKey: Uint8Array = generateSecretKey(),
  wireguard: WireguardKeyPair = generateWireguardKeys(),
): Buyer {
  function authorization(order: Order): string {
    const template = buildAuthorization({
      now: Math.floor(Date.now() / 1000),
      publicHost: order.publicHost,
      coordinate: listingCoordinate(order.operatorPubkey, order.dTag),
      price: order.price,
      ...(order.expiresInSeconds === undefined ? {} : { expiresInSeconds: order.expiresInSeconds }),
    });
    return encodeAuthorization(finalizeEvent(order.signInstead?.(template) ?? template, nostrKey));
  }

  return {
    nostrKey,
    wireguard,
    authorization,
    async purchase(order) {
      const inHeader = order.token !== undefined && order.tokenIn !== "body";
      const body = order.body ?? {
        protocol: "wireguard",
        client_pubkey: wireguard.publicKey,
        ...(order.tokenIn === "body" ? { token: order.token } : {}),
      };
      const header = order.authorization === undefined ? authorization(order) : order.authorization;
      const response = await fetch(new URL("/purchase", order.url), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(header === null ? {} : { authorization: header }),
          ...(inHeader ? { "x-cashu": order.token as string } : {}),
          ...order.headers,
        },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: JSON.parse(text) as Answer["body"],
      };
    },
  };
}
