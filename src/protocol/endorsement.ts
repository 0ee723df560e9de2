import { firstValue, isAuthoredEvent, type NostrEvent, tagValues } from "./event.ts";
import { ENDORSEMENT_KIND, LISTING_KIND, PUBKEY_HEX } from "./marketplace.ts";

/** A curator's set of listings (NIP-51, kind 30267). */
export interface Endorsement {
  endorser: string;
  dTag: string;
  createdAt: number;
  title?: string | undefined;
  description?: string | undefined;
  image?: string | undefined;
  /** Listing coordinates, each once. */
  listings: string[];
  /** `a` values that are no listing. */
  unknownTargets: string[];
}

export type ParsedEndorsement =
  | { ok: true; endorsement: Endorsement }
  | { ok: false; reason: "wrong-kind" | "no-identifier" | "no-marketplace-listings" };

/** Does not check the signature. Never throws. */
export function parseEndorsement(event: NostrEvent): ParsedEndorsement {
  if (!isAuthoredEvent(event) || event.kind !== ENDORSEMENT_KIND) return { ok: false, reason: "wrong-kind" };
  const dTag = firstValue(event, "d");
  if (dTag === undefined) return { ok: false, reason: "no-identifier" };
  const targets = [...new Set(tagValues(event, "a"))];
  const listings = targets.filter(isListingCoordinate);
  if (listings.length === 0) return { ok: false, reason: "no-marketplace-listings" };
  const endorsement: Endorsement = {
    endorser: event.pubkey,
    dTag,
    createdAt: event.created_at,
    title: firstValue(event, "title"),
    description: firstValue(event, "description"),
    image: firstValue(event, "image"),
    listings,
    unknownTargets: targets.filter((target) => !isListingCoordinate(target)),
  };
  return { ok: true, endorsement };
}

function isListingCoordinate(target: string): boolean {
  const [kind, pubkey = "", ...dTag] = target.split(":");
  return kind === String(LISTING_KIND) && PUBKEY_HEX.test(pubkey) && dTag.join(":") !== "";
}

/**
 * Distinct endorsers per listing coordinate, over each endorser's newest set of each `d`. Takes events and not
 * parsed sets: a newest set that names no listing any more is what withdraws an endorsement.
 */
export function aggregateEndorsements(events: readonly NostrEvent[]): Map<string, Set<string>> {
  const endorsersOf = new Map<string, Set<string>>();
  for (const event of newestSets(events)) {
    const parsed = parseEndorsement(event);
    if (!parsed.ok) continue;
    for (const listing of parsed.endorsement.listings) {
      const endorsers = endorsersOf.get(listing) ?? new Set();
      endorsersOf.set(listing, endorsers.add(event.pubkey));
    }
  }
  return endorsersOf;
}

function newestSets(events: readonly NostrEvent[]): Iterable<NostrEvent> {
  const newest = new Map<string, NostrEvent>();
  for (const event of events) {
    if (!isAuthoredEvent(event) || event.kind !== ENDORSEMENT_KIND) continue;
    const address = `${event.pubkey}:${firstValue(event, "d") ?? ""}`;
    const known = newest.get(address);
    if (known === undefined || replaces(event, known)) newest.set(address, event);
  }
  return newest.values();
}

/** NIP-01: the later one, and of two in the same second the one with the lower id. */
function replaces(event: NostrEvent, known: NostrEvent): boolean {
  if (event.created_at !== known.created_at) return event.created_at > known.created_at;
  return event.id < known.id;
}
