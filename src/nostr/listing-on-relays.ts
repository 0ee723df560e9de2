import type { NostrEvent } from "../protocol/event.ts";
import { LISTING_KIND } from "../protocol/marketplace.ts";
import type { Relays } from "./relays.ts";

/** What one relay shows of a listing: its newest version, or nothing. */
export type ListingOnRelay = { url: string; event: NostrEvent | undefined } | { url: string; silent: string };

/** Asks every relay now. The deadline is for connecting and for each page. Never throws. */
export async function listingOnRelays(
  relays: Pick<Relays, "query">,
  pubkeyHex: string,
  dTag: string,
  deadlineMs: number,
): Promise<ListingOnRelay[]> {
  const answers = await relays.query(
    { kinds: [LISTING_KIND], authors: [pubkeyHex], "#d": [dTag] },
    deadlineMs,
  );
  return answers.map((answer) => {
    if ("silent" in answer) return answer;
    const [newest] = [...answer.events].sort((one, other) => other.created_at - one.created_at);
    return { url: answer.url, event: newest };
  });
}
