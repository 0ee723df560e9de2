import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { EventTemplate, NostrEvent } from "../protocol/event.ts";
import { buildListing, type Listing } from "../protocol/listing.ts";
import { type FirstPublished, publishedAtOf } from "./first-published.ts";
import { listingDeletion } from "./listing-deletion.ts";
import { listingOnRelays } from "./listing-on-relays.ts";
import { acknowledged, createOffering, type Publication, type PublicationStatus } from "./publication.ts";
import { describeAnswer } from "./relay-answer.ts";
import type { Relays } from "./relays.ts";

const DEADLINE_MS = 10_000;
const ASK_DEADLINE_MS = 4_000;
const MIN_CHANGE_GAP_MS = 120_000;
const RETRY_MS = { first: 5_000, longest: 600_000 };
/** Nothing sleeps longer than this, however far away the next refresh is. */
const LONGEST_SLEEP_MS = 60_000;

/** The operator's word that the listing is to stand nowhere, with the one request to delete it that was signed for that. */
export interface Retirement {
  isRetired(): boolean;
  /** The last one, also when the listing was taken up again since: what is published then must be later. */
  deletion(): NostrEvent | undefined;
  /** Whether that request is for the present retirement. */
  isSigned(): boolean;
  signed(deletion: NostrEvent): void;
}

export interface ListingPublisherOptions {
  relays: Pick<Relays, "urls" | "publish" | "query">;
  pubkeyHex: string;
  dTag: string;
  sign(template: EventTemplate): NostrEvent;
  /** The listing as it is true now; `publishedAt` is filled in here. `undefined`: nothing may be offered. */
  currentListing(): Listing | undefined;
  retirement: Retirement;
  firstPublished: FirstPublished;
  clock: Clock;
  logger: Logger;
  refreshMs: number;
  /** At most one change of content or tags goes out in this time (rule 29). */
  minChangeGapMs?: number;
  retryMs?: { first: number; longest: number };
  deadlineMs?: number;
}

/** What a publication by the operator's word came to. */
export type Published =
  | { status: PublicationStatus; relays: { url: string; taken: boolean; said: string }[] }
  | { failed: string };

export interface ListingPublisher {
  start(): void;
  /** Something about the state changed: look again soon. */
  changed(): void;
  /** By the operator's word: signed anew and sent at once, whatever the gap; resolves when the relays have answered. */
  publishNow(): Promise<Published>;
  stop(): void;
}

/** Keeps the listing on the relays: at start, after changes, every `refreshMs`, and until each relay took it. */
export function createListingPublisher(options: ListingPublisherOptions): ListingPublisher {
  const { relays, pubkeyHex, dTag, sign, currentListing, retirement, firstPublished, clock, logger } =
    options;
  const {
    refreshMs,
    minChangeGapMs = MIN_CHANGE_GAP_MS,
    retryMs = RETRY_MS,
    deadlineMs = DEADLINE_MS,
  } = options;
  let current: Publication | undefined;
  let lastCreatedAt = retirement.deletion()?.created_at ?? 0;
  let asked: { publishedAt: number } | undefined;
  let askPauseMs = retryMs.first;
  let withheld = false;
  let running: Promise<void> | undefined;
  let again = false;
  let urgent = false;
  let failed: string | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const { lacking, offer } = createOffering({
    relays,
    deadlineMs,
    longestPauseMs: retryMs.longest,
    isStopped: () => stopped,
    onTaken: ({ status, event }) => {
      if (status === "retired" || firstPublished.get(dTag) !== undefined) return;
      firstPublished.set(dTag, publishedAtOf(event) ?? event.created_at);
    },
    // The next refresh asks for its time, and goes beyond it.
    onReplaced: () => {
      asked = undefined;
    },
    logger,
  });

  const wakeIn = (delayMs: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void run(), Math.min(Math.max(delayMs, 0), LONGEST_SLEEP_MS));
  };

  /** One round at a time; a change during one is looked at right after it. */
  function run(): Promise<void> {
    again = running !== undefined;
    running ??= round()
      .catch((error: unknown) => {
        failed = error instanceof Error ? error.message : "unknown";
        logger.error({ event: "listing-publish-failed", why: failed });
        return retryMs.longest;
      })
      .then((delayMs) => {
        running = undefined;
        wakeIn(again ? 0 : delayMs);
      });
    return running;
  }

  /** Does what is due; gives the time until something may be due again. */
  async function round(): Promise<number> {
    const isUrgent = urgent;
    urgent = false;
    failed = undefined;
    if (retirement.isRetired()) return retire(isUrgent);
    const listing = currentListing();
    if (listing === undefined) {
      failed = "no payment method is ready to be offered";
      if (!withheld) logger.warn({ event: "listing-withheld", why: failed });
      withheld = true;
      return LONGEST_SLEEP_MS;
    }
    withheld = false;
    const publishedAt = await whenFirstPublished();
    if (publishedAt === undefined) {
      failed = "no relay answers";
      const counts = { acknowledged: 0, total: relays.urls.length };
      logger.warn({ event: "listing-publish-failed", ...counts, why: failed });
      askPauseMs = Math.min(askPauseMs * 2, retryMs.longest);
      return askPauseMs;
    }
    askPauseMs = retryMs.first;
    const built = buildListing({ ...listing, publishedAt });
    const face = JSON.stringify([built.content, built.tags]);
    const isChange = face !== current?.face;
    const now = performance.now();
    if (isUrgent || (isChange ? now >= changeAllowedAtMs() : now >= refreshAtMs())) {
      lastCreatedAt = Math.max(clock.now(), lastCreatedAt + 1);
      const event = sign({ ...built, created_at: lastCreatedAt });
      const changedAtMs = isChange ? now : (current?.changedAtMs ?? now);
      current = publicationOf(event, listing.status, face, changedAtMs);
    }
    if (current === undefined || stopped) return LONGEST_SLEEP_MS;
    if (lacking(current).length > 0 && now >= current.retryAtMs) await offer(current);
    const next = [refreshAtMs()];
    if (face !== current.face) next.push(changeAllowedAtMs());
    if (lacking(current).length > 0) next.push(current.retryAtMs);
    return Math.min(...next) - performance.now();
  }

  /** The same signed request until every relay took it, over restarts; beyond that there is nothing to refresh. */
  async function retire(isUrgent: boolean): Promise<number> {
    if (isUrgent || current?.status !== "retired") {
      const deletion = await theDeletion();
      lastCreatedAt = Math.max(lastCreatedAt, deletion.created_at);
      current = publicationOf(deletion, "retired", "", performance.now());
    }
    if (stopped) return LONGEST_SLEEP_MS;
    if (lacking(current).length > 0 && performance.now() >= current.retryAtMs) await offer(current);
    return lacking(current).length > 0 ? current.retryAtMs - performance.now() : LONGEST_SLEEP_MS;
  }

  async function theDeletion(): Promise<NostrEvent> {
    const known = retirement.deletion();
    if (known !== undefined && retirement.isSigned()) return known;
    await whenFirstPublished();
    const deletion = sign(listingDeletion(pubkeyHex, dTag, Math.max(clock.now(), lastCreatedAt)));
    retirement.signed(deletion);
    return deletion;
  }

  function publicationOf(
    event: NostrEvent,
    status: PublicationStatus,
    face: string,
    changedAtMs: number,
  ): Publication {
    const now = performance.now();
    const { first: pauseMs } = retryMs;
    return { event, status, face, signedAtMs: now, changedAtMs, answers: new Map(), retryAtMs: 0, pauseMs };
  }

  const refreshAtMs = () => (current === undefined ? 0 : current.signedAtMs + refreshMs);

  /** What no relay has taken yet may change at once. */
  const changeAllowedAtMs = () =>
    current === undefined || acknowledged(current) === 0 ? 0 : current.changedAtMs + minChangeGapMs;

  /**
   * From the book, or from a listing that stands on a relay already, or now; `undefined` while neither book nor
   * any relay can tell. The relays are asked once, for they also tell above what `created_at` ours must be.
   */
  async function whenFirstPublished(): Promise<number | undefined> {
    const known = firstPublished.get(dTag);
    if (asked !== undefined) return known ?? asked.publishedAt;
    const within = Math.min(deadlineMs, ASK_DEADLINE_MS);
    const answers = await listingOnRelays(relays, pubkeyHex, dTag, within);
    const told = answers.flatMap((answer) => ("silent" in answer ? [] : [answer.event]));
    if (told.length === 0) return known;
    const events = told.flatMap((event) => event ?? []);
    lastCreatedAt = Math.max(lastCreatedAt, ...events.map((event) => event.created_at));
    const publishedAt = Math.min(clock.now(), ...events.flatMap((event) => publishedAtOf(event) ?? []));
    asked = { publishedAt };
    return known ?? publishedAt;
  }

  function outcome(): Published {
    if (failed !== undefined || current === undefined) return { failed: failed ?? "the daemon ends" };
    const { status, answers } = current;
    return {
      status,
      relays: relays.urls.map((url) => {
        const answer = answers.get(url);
        const said = answer === undefined ? "not asked" : describeAnswer(answer);
        return { url, taken: answer?.kind === "acknowledged", said };
      }),
    };
  }

  return {
    start: () => wakeIn(0),
    changed() {
      if (running) again = true;
      else wakeIn(0);
    },
    async publishNow() {
      urgent = true;
      while (urgent && !stopped) await run();
      return outcome();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
