import type { Relays } from "../../nostr/relays.ts";
import type { NostrEvent } from "../../protocol/event.ts";
import { type ParsedListing, parseListing } from "../../protocol/listing.ts";
import { LISTING_KIND } from "../../protocol/marketplace.ts";

const WITHIN_MS = 6_000;

/** The operator's own listing as each relay shows it. */
export interface OwnListing {
  relays: { url: string; event?: NostrEvent; silent?: string }[];
  /** The newest of them all: what directories go by. */
  newest: { event: NostrEvent; parsed: ParsedListing } | undefined;
}

export async function readOwnListing(
  relays: Pick<Relays, "query">,
  pubkey: string,
  dTag: string,
): Promise<OwnListing> {
  const answers = await relays.query({ kinds: [LISTING_KIND], authors: [pubkey], "#d": [dTag] }, WITHIN_MS);
  const shown = answers.map((answer) => {
    if ("silent" in answer) return { url: answer.url, silent: answer.silent };
    const event = newestOf(answer.events);
    return event === undefined ? { url: answer.url } : { url: answer.url, event };
  });
  const event = newestOf(shown.flatMap((one) => one.event ?? []));
  return { relays: shown, newest: event && { event, parsed: parseListing(event) } };
}

export function newestOf(events: readonly NostrEvent[]): NostrEvent | undefined {
  return events.reduce<NostrEvent | undefined>(
    (newest, event) => (newest === undefined || event.created_at > newest.created_at ? event : newest),
    undefined,
  );
}
