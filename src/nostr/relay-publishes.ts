import type { NostrEvent } from "../protocol/event.ts";
import { type RelayAnswer, readOk, wantsAuthentication } from "./relay-answer.ts";
import type { RelayAuth } from "./relay-auth.ts";

interface Pending {
  event: NostrEvent;
  waiters: Set<(answer: RelayAnswer) => unknown>;
  /** Refused until authenticated; sent once more after that. */
  heldBack?: RelayAnswer;
  sentAgain: boolean;
}

export interface RelayPublishes {
  /** Sends now, or as soon as connected. What comes after the deadline goes to `onLate`. */
  publish(
    event: NostrEvent,
    deadlineMs: number,
    onLate?: (answer: RelayAnswer) => void,
  ): Promise<RelayAnswer>;
  takeOk(eventId: string, accepted: unknown, text: unknown): void;
  connected(): void;
  authAccepted(): void;
  connectionLost(): void;
  close(): void;
}

export interface RelayPublishesOptions {
  url: string;
  isConnected(): boolean;
  send(message: unknown[]): void;
  auth: Pick<RelayAuth, "accepted">;
}

/** NIP-01 EVENT and OK on one connection. */
export function createRelayPublishes({
  url,
  isConnected,
  send,
  auth,
}: RelayPublishesOptions): RelayPublishes {
  const pendings = new Map<string, Pending>();

  const sendAgain = (pending: Pending) => {
    pending.sentAgain = true;
    send(["EVENT", pending.event]);
  };

  const whyNot = (deadlineMs: number) =>
    isConnected() ? `no answer within ${deadlineMs} ms` : "could not connect";

  return {
    publish(event, deadlineMs, onLate) {
      const pending: Pending = pendings.get(event.id) ?? { event, waiters: new Set(), sentAgain: false };
      pendings.set(event.id, pending);
      return new Promise((resolve) => {
        const deliver = (answer: RelayAnswer) => {
          clearTimeout(timer);
          resolve(answer);
        };
        const timer = setTimeout(() => {
          pending.waiters.delete(deliver);
          if (onLate !== undefined) pending.waiters.add((late) => late.kind !== "no-answer" && onLate(late));
          resolve(pending.heldBack ?? { url, kind: "no-answer", why: whyNot(deadlineMs) });
        }, deadlineMs);
        pending.waiters.add(deliver);
        if (isConnected()) send(["EVENT", event]);
      });
    },
    takeOk(eventId, accepted, text) {
      const pending = pendings.get(eventId);
      if (pending === undefined) return;
      const answer = readOk(url, accepted, text);
      if (answer.kind === "refused" && wantsAuthentication(text) && !pending.sentAgain) {
        pending.heldBack = answer;
        if (auth.accepted()) sendAgain(pending);
        return;
      }
      pendings.delete(eventId);
      for (const deliver of pending.waiters) deliver(answer);
    },
    connected() {
      for (const { event } of pendings.values()) send(["EVENT", event]);
    },
    authAccepted() {
      for (const pending of pendings.values()) {
        if (pending.heldBack !== undefined && !pending.sentAgain) sendAgain(pending);
      }
    },
    connectionLost() {
      for (const [id, { waiters }] of pendings) if (waiters.size === 0) pendings.delete(id);
    },
    close() {
      for (const { waiters } of pendings.values()) {
        for (const deliver of waiters) deliver({ url, kind: "no-answer", why: "closed" });
      }
      pendings.clear();
    },
  };
}
