import { finalizeEvent } from "nostr-tools/pure";
import { firstPublishedIn } from "../nostr/first-published.ts";
import { createListingPublisher } from "../nostr/listing-publisher.ts";
import { retireFormerListing } from "../nostr/retire-listing.ts";
import type { EventTemplate } from "../protocol/event.ts";
import type { Context } from "./context.ts";
import type { Market } from "./market.ts";
import type { Records } from "./records.ts";
import type { Wallet } from "./wallet.ts";

/** The listing goes out, and again whenever it is not true any more. */
export async function keepListing(
  { config, logger, clock, life }: Context,
  { facts, control, pause }: Records,
  { pubkeyHex, secretKey, relays }: Wallet,
  market: Market,
): Promise<void> {
  const sign = (template: EventTemplate) => finalizeEvent(template, secretKey);
  const { dTag, refreshMinutes } = config.listing;
  await retireFormerListing({ relays, pubkeyHex, sign, facts, dTag, now: clock.now() });
  const publisher = createListingPublisher({
    relays,
    pubkeyHex,
    sign,
    currentListing: market.listing,
    firstPublished: firstPublishedIn(facts),
    clock,
    logger,
    refreshMs: refreshMinutes * 60_000,
  });
  life.onClose(() => publisher.stop());
  life.onChange(publisher.changed);
  publisher.start();
  control.serve("listing-pause", async () => pause.pause("operator"));
  control.serve("listing-resume", async () => pause.resume());
}
