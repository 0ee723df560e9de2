import type { Logger } from "pino";
import { boundary } from "../boundary.ts";
import type { Clock } from "../clock.ts";
import { createMutex } from "../mutex.ts";
import { describeAnswer, type RelayAnswer } from "../nostr/relay-answer.ts";
import type { Relays } from "../nostr/relays.ts";
import type { NostrEvent } from "../protocol/event.ts";
import { inBatches } from "./batches.ts";
import type { WalletCodec } from "./codec.ts";
import {
  type BookedProof,
  type Lane,
  LONGEST_RETRY_SECONDS,
  type WaitingDelivery,
  type WalletStore,
} from "./wallet-store.ts";

const DEADLINE_MS = 10_000;
const FIRST_RETRY_SECONDS = 2;
/** Events on their way to one relay at a time. */
const AT_ONCE = 20;
/** Sales that follow each other closely share one event. */
const GATHER_MS = 200;

export interface OutboxOptions {
  relays: Pick<Relays, "urls" | "status" | "publish">;
  codec: Pick<WalletCodec, "tokenEvent" | "historyEvent">;
  store: WalletStore;
  clock: Clock;
  logger: Logger;
  deadlineMs?: number;
}

/**
 * Takes the proofs in the book to the relays, one signed kind 7375 at a time, for as long as it takes, and beside each
 * a kind 7376 that tells of it.
 */
export interface Outbox {
  /**
   * Wraps what is unwrapped and sends what is due to the relays that are connected; resolves when these attempts
   * have ended. May be called again meanwhile: nothing is sent twice at a time. Throws nothing.
   */
  flush(): Promise<void>;
  /** New proofs are in the book: flush soon. */
  poke(): void;
  /** What only this host holds: for /health. */
  waiting(): { events: number; proofs: number };
  /** No more flushes; what is under way ends by itself. */
  stop(): void;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { relays, codec, store, clock, logger, deadlineMs = DEADLINE_MS } = options;
  const oneAtATime = createMutex();
  const underWay = new Set<string>();
  let gathering: NodeJS.Timeout | undefined;
  let stopped = false;

  store.enlist(relays.urls);

  async function wrapAll(): Promise<void> {
    for (const [mintUrl, proofs] of store.unwrapped()) {
      for (const batch of inBatches(proofs)) await wrap(mintUrl, batch);
    }
  }

  async function wrap(mintUrl: string, batch: BookedProof[]): Promise<void> {
    try {
      const replaces = new Set(batch.flatMap(({ formerEventId }) => formerEventId ?? []));
      const event = await codec.tokenEvent(mintUrl, batch, clock.now(), [...replaces]);
      const history = await historyOf(event, batch);
      const ys = batch.map(({ y }) => y);
      boundary("event-signed");
      store.wrapped(event, ys, relays.urls, history);
      boundary("event-stored");
      logger.info({ event: "wallet-event-stored", id: event.id, proofs: ys.length });
    } catch (error) {
      // One proof that cannot be written must not hold up its neighbours.
      if (batch.length > 1) {
        const middle = Math.ceil(batch.length / 2);
        await wrap(mintUrl, batch.slice(0, middle));
        await wrap(mintUrl, batch.slice(middle));
        return;
      }
      // It stays in the book and is tried again. The message may hold the proof, so only the error's name is told.
      const why = error instanceof Error ? error.name : "unknown";
      logger.error({ event: "wallet-event-failed", mint: mintUrl, why });
    }
  }

  /** Proofs that were in an event before came in with that one. No history is no reason to keep proofs back. */
  async function historyOf(event: NostrEvent, batch: BookedProof[]): Promise<NostrEvent | undefined> {
    const fresh = batch.filter(({ formerEventId }) => formerEventId === null);
    const amountSat = fresh.reduce((sum, proof) => sum + proof.amountSat, 0);
    if (fresh.length === 0) return undefined;
    return codec.historyEvent({ amountSat, tokenEventId: event.id }, event.created_at).catch(() => undefined);
  }

  /** Each lane has places of its own at each relay: history that hangs holds no money up. */
  async function deliverTo(relayUrl: string, lane: Lane): Promise<void> {
    const places = AT_ONCE - [...underWay].filter((key) => key.endsWith(` ${lane} ${relayUrl}`)).length;
    const due = store
      .due(relayUrl, lane, clock.now(), AT_ONCE)
      .filter(({ event }) => !underWay.has(`${event.id} ${lane} ${relayUrl}`))
      .slice(0, places);
    const done = await Promise.all(due.map((delivery) => deliver(delivery, lane)));
    // Another round only after progress, so that a relay that refuses everything is left to its pauses.
    if (!stopped && due.length > 0 && done.every(Boolean)) await deliverTo(relayUrl, lane);
  }

  async function deliver({ event, relayUrl, attempts }: WaitingDelivery, lane: Lane): Promise<boolean> {
    const key = `${event.id} ${lane} ${relayUrl}`;
    underWay.add(key);
    try {
      await store.onDisk();
      if (stopped) return false;
      const onLate = (answer: RelayAnswer) => recordLate(event.id, answer, attempts);
      boundary("event-publishing");
      const [answer] = await relays.publish(event, { deadlineMs, only: [relayUrl], onLate });
      boundary("event-answered");
      if (answer === undefined) return false;
      record(event.id, answer, attempts);
      return answer.kind === "acknowledged";
    } finally {
      underWay.delete(key);
    }
  }

  function record(eventId: string, answer: RelayAnswer, attempts: number): void {
    if (stopped) return;
    const now = clock.now();
    if (answer.kind === "acknowledged") {
      store.acknowledged(eventId, answer.url, now);
      boundary("event-acknowledged");
      logger.debug({ event: "wallet-event-acknowledged", id: eventId, relay: answer.url });
      return;
    }
    const said = describeAnswer(answer);
    const permanent = answer.kind === "refused" && answer.permanent;
    if (permanent) store.refusedForGood(eventId, answer.url, said);
    else store.tryAgain(eventId, answer.url, said, now + retryAfterSeconds(attempts));
    logger.warn({ event: "wallet-event-not-taken", id: eventId, relay: answer.url, said, permanent });
  }

  /** Nobody waits for it, so nobody else would catch what a full disk makes of it. */
  function recordLate(eventId: string, answer: RelayAnswer, attempts: number): void {
    try {
      record(eventId, answer, attempts);
    } catch (error) {
      logFailure(error);
    }
  }

  function logFailure(error: unknown): void {
    const why = error instanceof Error ? error.message : "unknown";
    if (!stopped) logger.error({ event: "wallet-outbox-failed", why });
  }

  async function wrapAndDeliver(): Promise<void> {
    if (stopped) return;
    await oneAtATime(wrapAll);
    if (stopped) return;
    const connected = relays.status().filter((relay) => relay.connected);
    const lanes: Lane[] = ["money", "history"];
    await Promise.all(connected.flatMap(({ url }) => lanes.map((lane) => deliverTo(url, lane))));
  }

  const flush = () => wrapAndDeliver().catch(logFailure);

  return {
    flush,
    poke() {
      if (stopped) return;
      gathering ??= setTimeout(() => {
        gathering = undefined;
        void flush();
      }, GATHER_MS);
    },
    waiting: () => store.waiting(),
    stop() {
      stopped = true;
      clearTimeout(gathering);
    },
  };
}

function retryAfterSeconds(attempts: number): number {
  return Math.min(FIRST_RETRY_SECONDS * 2 ** Math.min(attempts, 10), LONGEST_RETRY_SECONDS);
}
