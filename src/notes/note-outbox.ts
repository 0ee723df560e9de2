import type { Logger } from "pino";
import { describe } from "../jobs.ts";
import type { NostrEvent } from "../protocol/event.ts";

/** A private message to the operator. */
export interface Note {
  about: "sale" | "trouble" | "heartbeat";
  text: string;
}

export interface Delivery {
  /** Relays that took it, of those asked. */
  acknowledged: number;
  asked: number;
  /** Every relay asked has refused it for good. */
  isHopeless: boolean;
}

/** What the outbox needs of Nostr. */
export interface NoteCarrier {
  /** Encrypted and signed, once: a note that is sent again is the same event. */
  wrap(text: string): NostrEvent;
  deliver(event: NostrEvent): Promise<Delivery>;
}

export interface NoteOutboxOptions {
  carrier: NoteCarrier;
  /** Monotonic. */
  nowMs: () => number;
  logger: Logger;
}

const MOST_WAITING = 200;
const LONGEST_WAIT_MS = 48 * 3_600_000;
const PAUSE_MS = { first: 10_000, longest: 300_000 };

interface Waiting {
  about: Note["about"];
  event: NostrEvent;
  postedAtMs: number;
}

export type NoteOutbox = ReturnType<typeof createNoteOutbox>;

/**
 * Notes on their way, in order and in memory (docs/operations.md, "Notes"): one that no relay takes is tried again
 * with growing pauses for two days. Nothing here waits for a relay but `flush`, and nothing throws.
 */
export function createNoteOutbox({ carrier, nowMs, logger }: NoteOutboxOptions) {
  const waiting: Waiting[] = [];
  let pauseMs = PAUSE_MS.first;
  let triesAgainAtMs = 0;
  let flushing: Promise<void> | undefined;

  /** The oldest sale first: a trouble is worth more, and sales stand in the book. */
  function makeRoom(): void {
    if (waiting.length < MOST_WAITING) return;
    const sale = waiting.findIndex(({ about }) => about === "sale");
    drop(waiting[Math.max(0, sale)], "too many notes wait");
  }

  /** It may be gone already: room is made also while it is on its way. */
  function remove(note: Waiting): void {
    const at = waiting.indexOf(note);
    if (at >= 0) waiting.splice(at, 1);
  }

  function drop(note: Waiting | undefined, why: string): void {
    if (!note) return;
    remove(note);
    logger.warn({ event: "notify-failed", about: note.about, why }, "a note to the operator was given up");
  }

  async function attempt(note: Waiting): Promise<boolean> {
    const { acknowledged, asked, isHopeless } = await carrier.deliver(note.event);
    if (acknowledged > 0) {
      remove(note);
      logger.info({ event: "notified", about: note.about, relays: acknowledged, of: asked });
      return true;
    }
    if (isHopeless) drop(note, "every relay refused it");
    return isHopeless;
  }

  function postpone(why: string): void {
    if (pauseMs === PAUSE_MS.first) {
      logger.warn({ event: "notify-waiting", notes: waiting.length, why }, "notes to the operator wait");
    }
    triesAgainAtMs = nowMs() + pauseMs;
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest);
  }

  async function flush(): Promise<void> {
    for (let note = waiting[0]; note; note = waiting[0]) {
      if (nowMs() - note.postedAtMs > LONGEST_WAIT_MS) drop(note, "no relay took it for two days");
      else if (!(await attempt(note))) return postpone("no relay took it");
      pauseMs = PAUSE_MS.first;
    }
  }

  return {
    post({ about, text }: Note): void {
      try {
        makeRoom();
        waiting.push({ about, event: carrier.wrap(text), postedAtMs: nowMs() });
      } catch (error) {
        logger.error({ event: "notify-failed", about, why: describe(error) }, "a note could not be written");
      }
    },
    /** Sends what waits, unless a pause runs. A second call joins the first, which sends what came meanwhile too. */
    flush(): Promise<void> {
      if (waiting.length === 0 || nowMs() < triesAgainAtMs) return flushing ?? Promise.resolve();
      flushing ??= flush()
        .catch((error: unknown) => postpone(describe(error)))
        .finally(() => {
          flushing = undefined;
        });
      return flushing;
    },
    waiting: () => waiting.length,
  };
}
