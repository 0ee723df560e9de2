import type { FirstPublished } from "../nostr/first-published.ts";
import { type ListingOnRelay, listingOnRelays } from "../nostr/listing-on-relays.ts";
import type { ListingPublisher } from "../nostr/listing-publisher.ts";
import { firstValue } from "../protocol/event.ts";
import { buildListing, listingCoordinate } from "../protocol/listing.ts";
import type { Context } from "./context.ts";
import type { ListingPublished, ListingReport, ListingStanding, OnRelay } from "./listing-report.ts";
import type { Market } from "./market.ts";
import type { Records } from "./records.ts";
import type { Wallet } from "./wallet.ts";

/** What an operator waits for a relay that does not answer. */
const ASK_DEADLINE_MS = 4_000;

export type ListingDesk = ReturnType<typeof createListingDesk>;

/** The listing in the operator's hands. */
export function createListingDesk(
  { config, clock, logger }: Context,
  { pause, retirement }: Records,
  { pubkeyHex, relays }: Wallet,
  market: Market,
  publisher: ListingPublisher,
  firstPublished: FirstPublished,
) {
  const { dTag } = config.listing;

  function standing(): ListingStanding {
    if (retirement.isRetired()) return "retired";
    return pause.cause() === undefined ? "offered" : "paused";
  }

  function wanted(): ListingReport["wanted"] {
    const listing = retirement.isRetired() ? undefined : market.listing();
    if (listing === undefined) return null;
    const publishedAt = firstPublished.get(dTag) ?? clock.now();
    const { content, tags } = buildListing({ ...listing, publishedAt });
    return { status: listing.status, content, tags };
  }

  async function show(): Promise<ListingReport> {
    const found = await listingOnRelays(relays, pubkeyHex, dTag, ASK_DEADLINE_MS);
    const face = wanted();
    return {
      standing: standing(),
      coordinate: listingCoordinate(pubkeyHex, dTag),
      closed: market.closed() ?? (face?.status === "sold" ? "no payment method works now" : null),
      wanted: face,
      relays: found.map((answer) => onRelay(answer, face)),
    };
  }

  async function publish(): Promise<ListingPublished> {
    const published = await publisher.publishNow();
    if ("failed" in published)
      return { standing: standing(), status: null, failed: published.failed, relays: [] };
    return { standing: standing(), failed: null, ...published };
  }

  /** The book first; then the relays hear of it. */
  function change(event: string, write: () => void): Promise<ListingPublished> {
    write();
    logger.info({ event, standing: standing() }, "by the operator's word");
    return publish();
  }

  return {
    show,
    standing,
    publish: () => change("listing-offered", retirement.end),
    pause: () =>
      change("listing-paused", () => {
        pause.pause("operator");
        retirement.end();
      }),
    resume: () =>
      change("listing-resumed", () => {
        retirement.end();
        pause.resume();
      }),
    retire: () => change("listing-retire", retirement.retire),
  };
}

function onRelay(answer: ListingOnRelay, wanted: ListingReport["wanted"]): OnRelay {
  const { url } = answer;
  const none = { url, status: null, createdAt: null, said: null };
  if ("silent" in answer) return { ...none, has: "unknown", said: answer.silent };
  const { event } = answer;
  if (event === undefined) return { ...none, has: wanted === null ? "as-wanted" : "nothing" };
  const face = ({ content, tags }: { content: string; tags: string[][] }) => JSON.stringify([content, tags]);
  return {
    url,
    has: wanted !== null && face(event) === face(wanted) ? "as-wanted" : "other",
    status: firstValue(event, "status") === "sold" ? "sold" : "active",
    createdAt: event.created_at,
    said: null,
  };
}
