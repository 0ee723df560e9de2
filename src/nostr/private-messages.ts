import { wrapEvent } from "nostr-tools/nip17";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { NoteCarrier } from "../notes/note-outbox.ts";
import { type NostrEvent, tagValues } from "../protocol/event.ts";
import type { RelayAnswer } from "./relay-answer.ts";
import { normaliseRelayUrl } from "./relay-url.ts";
import { connectRelays, type Relays } from "./relays.ts";

const INBOX_RELAYS_KIND = 10_050;
const DEADLINE_MS = 10_000;
const QUERY_DEADLINE_MS = 5_000;
/** How long a recipient's list is believed, and how much of it. */
const INBOX_MAX_AGE_MS = 3_600_000;
const MOST_INBOX_RELAYS = 5;

export interface PrivateMessagesOptions {
  relays: Pick<Relays, "urls" | "publish" | "query">;
  secretKey: Uint8Array;
  /** 64 hex. */
  recipient: string;
  clock: Clock;
  /** Monotonic. */
  nowMs: () => number;
  logger: Logger;
  deadlineMs?: number;
}

/**
 * Private messages to one account (NIP-17): to the relays of its kind 10050, or to ours when it has none. Relays of
 * the list that are not ours are connected for one message only.
 */
export function createPrivateMessages(options: PrivateMessagesOptions): NoteCarrier {
  const { relays, secretKey, recipient, clock, nowMs, logger, deadlineMs = DEADLINE_MS } = options;
  let inbox: { urls: readonly string[]; readAtMs: number } | undefined;

  async function inboxUrls(): Promise<readonly string[]> {
    if (inbox && nowMs() - inbox.readAtMs < INBOX_MAX_AGE_MS) return inbox.urls;
    const filter = { kinds: [INBOX_RELAYS_KIND], authors: [recipient] };
    const answers = await relays.query(filter, QUERY_DEADLINE_MS);
    const found = answers.flatMap((answer) => ("events" in answer ? answer.events : []));
    const urls = listedIn(found);
    if (urls.length > 0) inbox = { urls, readAtMs: nowMs() };
    // What a silent relay may have is known from before, or not at all.
    else if (answers.every((answer) => "events" in answer)) inbox = { urls: relays.urls, readAtMs: nowMs() };
    return inbox?.urls ?? relays.urls;
  }

  async function publishElsewhere(event: NostrEvent, urls: readonly string[]): Promise<RelayAnswer[]> {
    if (urls.length === 0) return [];
    const others = await connectRelays({ urls, secretKey, clock, logger, connectDeadlineMs: 0 });
    try {
      return await others.publish(event, { deadlineMs });
    } finally {
      others.close();
    }
  }

  return {
    wrap: (text) => wrapEvent(secretKey, { publicKey: recipient }, text),
    async deliver(event) {
      const urls = await inboxUrls();
      const elsewhere = urls.filter((url) => !relays.urls.includes(url));
      const answers = await Promise.all([
        relays.publish(event, { deadlineMs, only: urls }),
        publishElsewhere(event, elsewhere),
      ]);
      const all = answers.flat();
      return {
        acknowledged: all.filter(({ kind }) => kind === "acknowledged").length,
        asked: all.length,
        isHopeless: all.length > 0 && all.every((answer) => answer.kind === "refused" && answer.permanent),
      };
    },
  };
}

/** The relays of the newest list, those that can be one. */
function listedIn(events: readonly NostrEvent[]): string[] {
  const newest = [...events].sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))[0];
  if (!newest) return [];
  const urls = tagValues(newest, "relay").flatMap((url) => normaliseRelayUrl(url) ?? []);
  return [...new Set(urls)].slice(0, MOST_INBOX_RELAYS);
}
