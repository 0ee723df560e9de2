import type { EventTemplate } from "../protocol/event.ts";
import { listingCoordinate } from "../protocol/listing.ts";
import { LISTING_KIND } from "../protocol/marketplace.ts";

const DELETION_KIND = 5;

/** Asks relays to delete every version of a listing up to `createdAt`, that second included (NIP-09). */
export function listingDeletion(pubkeyHex: string, dTag: string, createdAt: number): EventTemplate {
  const tags = [
    ["a", listingCoordinate(pubkeyHex, dTag)],
    ["k", String(LISTING_KIND)],
  ];
  return { kind: DELETION_KIND, created_at: createdAt, tags, content: "" };
}
