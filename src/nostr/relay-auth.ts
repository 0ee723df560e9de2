import type { NostrEvent } from "../protocol/event.ts";

/** NIP-42 on one connection: the challenge is answered at once, and what was refused for it waits here. */
export interface RelayAuth {
  accepted(): boolean;
  /** Resolves when accepted, or after `timeoutMs`: look at `accepted()`. */
  whenAccepted(timeoutMs: number): Promise<void>;
  takeChallenge(challenge: string): void;
  /** `true`: this OK was the answer to our AUTH. */
  takeOk(eventId: string, accepted: boolean): boolean;
  connectionLost(): void;
}

export interface RelayAuthOptions {
  url: string;
  /** Signs kind 22242 for this relay and challenge. */
  authenticate(relayUrl: string, challenge: string): NostrEvent;
  send(message: unknown[]): void;
  onAccepted(): void;
}

export function createRelayAuth(options: RelayAuthOptions): RelayAuth {
  const waiting = new Set<() => void>();
  let current: { eventId: string; accepted: boolean } | undefined;

  return {
    accepted: () => current?.accepted ?? false,
    whenAccepted(timeoutMs) {
      if (current?.accepted) return Promise.resolve();
      return new Promise((resolve) => {
        const proceed = () => {
          clearTimeout(timer);
          waiting.delete(proceed);
          resolve();
        };
        const timer = setTimeout(proceed, timeoutMs);
        waiting.add(proceed);
      });
    },
    takeChallenge(challenge) {
      const event = options.authenticate(options.url, challenge);
      current = { eventId: event.id, accepted: false };
      options.send(["AUTH", event]);
    },
    takeOk(eventId, accepted) {
      if (current === undefined || eventId !== current.eventId) return false;
      current.accepted = accepted;
      if (accepted) {
        options.onAccepted();
        for (const proceed of [...waiting]) proceed();
      }
      return true;
    },
    connectionLost() {
      current = undefined;
    },
  };
}
