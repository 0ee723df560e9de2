import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { EventTemplate, NostrEvent } from "../protocol/event.ts";
import { buildListing, type Listing } from "../protocol/listing.ts";
import { LISTING_KIND } from "../protocol/marketplace.ts";
import { type FirstPublished, publishedAtOf } from "./first-published.ts";
import { describeAnswer, type RelayAnswer } from "./relay-answer.ts";
import type { Relays } from "./relays.ts";

const DEADLINE_MS = 10_000;
const ASK_DEADLINE_MS = 4_000;
const MIN_CHANGE_GAP_MS = 120_000;
const RETRY_MS = { first: 5_000, longest: 600_000 };
/** Nothing sleeps longer than this, however far away the next refresh is. */
const LONGEST_SLEEP_MS = 60_000;

export interface ListingPublisherOptions {
  relays: Pick<Relays, "urls" | "publish" | "query">;
  pubkeyHex: string;
  sign(template: EventTemplate): NostrEvent;
  /** The listing as it is true now; `publishedAt` is filled in here. `undefined`: nothing may be offered. */
  currentListing(): Listing | undefined;
  firstPublished: FirstPublished;
  clock: Clock;
  logger: Logger;
  refreshMs: number;
  /** At most one change of content or tags goes out in this time (rule 29). */
  minChangeGapMs?: number;
  retryMs?: { first: number; longest: number };
  deadlineMs?: number;
}

export interface ListingPublisher {
  start(): void;
  /** Something about the state changed: look again soon. */
  changed(): void;
  stop(): void;
}

interface Publication {
  event: NostrEvent;
  dTag: string;
  status: Listing["status"];
  publishedAt: number;
  /** Content and tags: what a reader would see change. */
  face: string;
  signedAtMs: number;
  changedAtMs: number;
  acknowledged: Set<string>;
  refusedForGood: Set<string>;
  /** When those that lack it are tried next, and the pause after that. */
  retryAtMs: number;
  pauseMs: number;
}

/** Keeps the listing on the relays: at start, after changes, every `refreshMs`, and until each relay took it. */
export function createListingPublisher(options: ListingPublisherOptions): ListingPublisher {
  const { relays, pubkeyHex, sign, currentListing, firstPublished, clock, logger, refreshMs } = options;
  const { minChangeGapMs = MIN_CHANGE_GAP_MS, retryMs = RETRY_MS, deadlineMs = DEADLINE_MS } = options;
  let current: Publication | undefined;
  let lastCreatedAt = 0;
  let asked: { dTag: string; publishedAt: number } | undefined;
  let askPauseMs = retryMs.first;
  let withheld = false;
  let running = false;
  let again = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const wakeIn = (delayMs: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, Math.min(Math.max(delayMs, 0), LONGEST_SLEEP_MS));
  };

  /** One round at a time; a change during one is looked at right after it. */
  function run(): void {
    if (running) {
      again = true;
      return;
    }
    running = true;
    again = false;
    round()
      .catch((error: unknown) => {
        logger.error({
          event: "listing-publish-failed",
          why: error instanceof Error ? error.message : "unknown",
        });
        return retryMs.longest;
      })
      .then((delayMs) => {
        running = false;
        wakeIn(again ? 0 : delayMs);
      });
  }

  /** Does what is due; gives the time until something may be due again. */
  async function round(): Promise<number> {
    const listing = currentListing();
    if (listing === undefined) {
      if (!withheld)
        logger.warn({ event: "listing-withheld", why: "no payment method is ready to be offered" });
      withheld = true;
      return LONGEST_SLEEP_MS;
    }
    withheld = false;
    const publishedAt = await whenFirstPublished(listing.dTag);
    if (publishedAt === undefined) {
      const counts = { acknowledged: 0, total: relays.urls.length };
      logger.warn({ event: "listing-publish-failed", ...counts, why: "no relay answers" });
      askPauseMs = Math.min(askPauseMs * 2, retryMs.longest);
      return askPauseMs;
    }
    askPauseMs = retryMs.first;
    const built = buildListing({ ...listing, publishedAt });
    const face = JSON.stringify([built.content, built.tags]);
    const isChange = face !== current?.face;
    const now = performance.now();
    if (isChange ? now >= changeAllowedAtMs() : now >= refreshAtMs()) {
      lastCreatedAt = Math.max(clock.now(), lastCreatedAt + 1);
      current = {
        event: sign({ ...built, created_at: lastCreatedAt }),
        dTag: listing.dTag,
        status: listing.status,
        publishedAt,
        face,
        signedAtMs: now,
        changedAtMs: isChange ? now : (current?.changedAtMs ?? now),
        acknowledged: new Set(),
        refusedForGood: new Set(),
        retryAtMs: now,
        pauseMs: retryMs.first,
      };
    }
    if (current === undefined || stopped) return LONGEST_SLEEP_MS;
    if (lacking(current).length > 0 && now >= current.retryAtMs) await offer(current);
    const next = [refreshAtMs()];
    if (face !== current.face) next.push(changeAllowedAtMs());
    if (lacking(current).length > 0) next.push(current.retryAtMs);
    return Math.min(...next) - performance.now();
  }

  const refreshAtMs = () => (current === undefined ? 0 : current.signedAtMs + refreshMs);

  /** What no relay has taken yet may change at once. */
  const changeAllowedAtMs = () =>
    current === undefined || current.acknowledged.size === 0 ? 0 : current.changedAtMs + minChangeGapMs;

  /** The relays that may still take it. */
  const lacking = ({ acknowledged, refusedForGood }: Publication) =>
    relays.urls.filter((url) => !acknowledged.has(url) && !refusedForGood.has(url));

  async function offer(publication: Publication): Promise<void> {
    const answers = await relays.publish(publication.event, {
      deadlineMs,
      only: lacking(publication),
      onLate: (answer) => takeLate(publication, answer),
    });
    if (stopped) return;
    take(publication, answers);
    publication.retryAtMs = performance.now() + publication.pauseMs;
    publication.pauseMs = Math.min(publication.pauseMs * 2, retryMs.longest);
  }

  /** Nobody waits for a late answer, so nobody would catch it: a book that cannot be written must end nothing. */
  function takeLate(publication: Publication, answer: RelayAnswer): void {
    try {
      take(publication, [answer]);
    } catch {
      logger.warn(
        { event: "late-answer-lost", relay: answer.url },
        "a late answer could not be written down",
      );
    }
  }

  function take(publication: Publication, answers: readonly RelayAnswer[]): void {
    const { acknowledged, refusedForGood, dTag } = publication;
    const before = acknowledged.size;
    for (const answer of answers) {
      if (answer.kind === "acknowledged") acknowledged.add(answer.url);
      if (answer.kind === "refused" && answer.permanent) refusedForGood.add(answer.url);
      // A newer listing of ours stands there: the next refresh asks for its time, and goes beyond it.
      if (answer.kind === "refused" && /^replaced:/i.test(answer.said)) asked = undefined;
    }
    const others = answers
      .filter(({ kind }) => kind !== "acknowledged")
      .map((answer) => ({ relay: answer.url, said: describeAnswer(answer) }));
    const counts = { acknowledged: acknowledged.size, total: relays.urls.length, others };
    if (acknowledged.size === 0) logger.warn({ event: "listing-publish-failed", ...counts });
    if (acknowledged.size > before) {
      logger.info({ event: "listing-published", status: publication.status, ...counts });
      if (firstPublished.get(dTag) === undefined) firstPublished.set(dTag, publication.publishedAt);
    }
  }

  /**
   * From the book, or from a listing that stands on a relay already, or now; `undefined` while neither book nor
   * any relay can tell. The relays are asked once, for they also tell above what `created_at` ours must be.
   */
  async function whenFirstPublished(dTag: string): Promise<number | undefined> {
    const known = firstPublished.get(dTag);
    if (asked?.dTag === dTag) return known ?? asked.publishedAt;
    const filter = { kinds: [LISTING_KIND], authors: [pubkeyHex], "#d": [dTag] };
    const answers = await relays.query(filter, Math.min(deadlineMs, ASK_DEADLINE_MS));
    const told = answers.flatMap((answer) => ("events" in answer ? [answer.events] : []));
    if (told.length === 0) return known;
    const events = told.flat();
    lastCreatedAt = Math.max(lastCreatedAt, ...events.map((event) => event.created_at));
    const publishedAt = Math.min(clock.now(), ...events.flatMap((event) => publishedAtOf(event) ?? []));
    asked = { dTag, publishedAt };
    return known ?? publishedAt;
  }

  return {
    start: () => wakeIn(0),
    changed() {
      if (running) again = true;
      else wakeIn(0);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
