import type { Filter } from "nostr-tools/filter";
import { finalizeEvent } from "nostr-tools/pure";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { NostrEvent } from "../protocol/event.ts";
import type { RelayAnswer } from "./relay-answer.ts";
import { openRelayLink } from "./relay-link.ts";
import type { RelayEvents } from "./relay-queries.ts";
import { distinctRelayUrls } from "./relay-url.ts";

const CLIENT_AUTH_KIND = 22242;
const CONNECT_DEADLINE_MS = 5_000;
const RETRY_MS = { first: 1_000, longest: 30_000 };

export interface PublishOptions {
  /** Each relay's time to answer, connecting included. */
  deadlineMs: number;
  /** Return as soon as this many have acknowledged. */
  need?: number;
  /** Of the configured relays only these, by their URL in `urls`. */
  only?: readonly string[];
  /** Acknowledgements and refusals that came after the call had returned. */
  onLate?: (answer: RelayAnswer) => void;
}

/** The configured relays, each counted once. */
export interface Relays {
  /** Normalised; the names that answers carry. */
  readonly urls: readonly string[];
  status(): { url: string; connected: boolean }[];
  /** One answer for each relay asked, in their order. No relay asked: nothing sent, no answers. Never throws. */
  publish(event: NostrEvent, options: PublishOptions): Promise<RelayAnswer[]>;
  /** Each relay on its own, to its last page. The deadline is for connecting and for each page. Never throws. */
  query(filter: Filter, deadlineMs: number): Promise<RelayEvents[]>;
  close(): void;
}

export interface RelaysOptions {
  urls: readonly string[];
  /** Signs the answers to NIP-42 challenges; nothing else. */
  secretKey: Uint8Array;
  clock: Clock;
  logger: Logger;
  /** How long to wait for all of them at first; those that do not come are tried on for ever. */
  connectDeadlineMs?: number;
  retryMs?: { first: number; longest: number };
}

/** Throws for a URL that cannot be a relay's; a relay that is down is no error. */
export async function connectRelays(options: RelaysOptions): Promise<Relays> {
  const { secretKey, clock, logger, connectDeadlineMs = CONNECT_DEADLINE_MS, retryMs = RETRY_MS } = options;

  const authenticate = (relayUrl: string, challenge: string) =>
    finalizeEvent(
      {
        kind: CLIENT_AUTH_KIND,
        created_at: clock.now(),
        tags: [
          ["relay", relayUrl],
          ["challenge", challenge],
        ],
        content: "",
      },
      secretKey,
    );

  const links = distinctRelayUrls(options.urls).map((url) =>
    openRelayLink({
      url,
      retryMs,
      authenticate,
      onConnect: () => logger.debug({ event: "relay-connected", relay: url }),
      onLost: () => logger.debug({ event: "relay-lost", relay: url }),
    }),
  );
  await Promise.all(links.map((link) => link.whenConnected(connectDeadlineMs)));

  return {
    urls: links.map((link) => link.url),
    status: () => links.map((link) => ({ url: link.url, connected: link.connected() })),
    publish(event, { deadlineMs, need = Number.POSITIVE_INFINITY, only, onLate }) {
      const asked = only === undefined ? links : links.filter((link) => only.includes(link.url));
      const answers = new Map<string, RelayAnswer>();
      const tellLate = (answer: RelayAnswer) => {
        try {
          onLate?.(answer);
        } catch (error) {
          logger.error({
            event: "late-answer-lost",
            relay: answer.url,
            why: error instanceof Error && error.message,
          });
        }
      };
      let returned = false;
      return new Promise((resolve) => {
        const finishIfDone = () => {
          const acknowledged = [...answers.values()].filter(({ kind }) => kind === "acknowledged").length;
          if (acknowledged < need && answers.size < asked.length) return;
          returned = true;
          resolve(
            asked.map(({ url }) => answers.get(url) ?? { url, kind: "no-answer", why: "not waited for" }),
          );
        };
        for (const link of asked) {
          void link.publish(event, deadlineMs, tellLate).then((answer) => {
            answers.set(link.url, answer);
            if (!returned) finishIfDone();
            else if (answer.kind !== "no-answer") tellLate(answer);
          });
        }
        finishIfDone();
      });
    },
    query: (filter, deadlineMs) => Promise.all(links.map((link) => link.query(filter, deadlineMs))),
    close() {
      for (const link of links) link.close();
    },
  };
}
