import { finalizeEvent } from "nostr-tools/pure";
import { firstPublishedIn } from "../nostr/first-published.ts";
import { createListingPublisher } from "../nostr/listing-publisher.ts";
import { retireFormerListing } from "../nostr/retire-listing.ts";
import type { EventTemplate } from "../protocol/event.ts";
import type { Context } from "./context.ts";
import { createListingDesk, type ListingDesk } from "./listing-desk.ts";
import type { Market } from "./market.ts";
import type { Records } from "./records.ts";
import type { Wallet } from "./wallet.ts";

/** The listing goes out, and again whenever it is not true any more, or the operator says so. */
export async function keepListing(
  context: Context,
  records: Records,
  wallet: Wallet,
  market: Market,
): Promise<ListingDesk> {
  const { config, logger, clock, life } = context;
  const { facts, control, retirement } = records;
  const { pubkeyHex, secretKey, relays } = wallet;
  const sign = (template: EventTemplate) => finalizeEvent(template, secretKey);
  const { dTag, refreshMinutes } = config.listing;
  const firstPublished = firstPublishedIn(facts);
  await retireFormerListing({ relays, pubkeyHex, sign, facts, dTag, now: clock.now() });
  const publisher = createListingPublisher({
    relays,
    pubkeyHex,
    dTag,
    sign,
    currentListing: market.listing,
    retirement,
    firstPublished,
    clock,
    logger,
    refreshMs: refreshMinutes * 60_000,
  });
  life.onClose(() => publisher.stop());
  life.onChange(publisher.changed);
  publisher.start();
  const desk = createListingDesk(context, records, wallet, market, publisher, firstPublished);
  control.serve("listing-show", desk.show);
  control.serve("listing-publish", desk.publish);
  control.serve("listing-pause", desk.pause);
  control.serve("listing-resume", desk.resume);
  control.serve("listing-retire", desk.retire);
  return desk;
}
