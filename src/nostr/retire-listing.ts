import type { EventTemplate, NostrEvent } from "../protocol/event.ts";
import { listingDeletion } from "./listing-deletion.ts";
import type { Relays } from "./relays.ts";

const DEADLINE_MS = 10_000;
const FACT = "listing-d-tag";

interface RetireOptions {
  relays: Pick<Relays, "publish">;
  pubkeyHex: string;
  sign(template: EventTemplate): NostrEvent;
  facts: { get(name: string): string | undefined; set(name: string, value: string): void };
  /** The `d` of today's listing. */
  dTag: string;
  now: number;
}

/**
 * After `listing.d_tag` was changed: asks the relays to delete the listing under the former one (NIP-09), so that
 * directories do not show two. Not acknowledged by any relay, it is asked again at the next start.
 */
export async function retireFormerListing(options: RetireOptions): Promise<void> {
  const { relays, pubkeyHex, sign, facts, dTag, now } = options;
  const former = facts.get(FACT);
  if (former !== undefined && former !== dTag) {
    const event = sign(listingDeletion(pubkeyHex, former, now));
    const answers = await relays.publish(event, { deadlineMs: DEADLINE_MS, need: 1 });
    if (!answers.some(({ kind }) => kind === "acknowledged")) return;
  }
  facts.set(FACT, dTag);
}
