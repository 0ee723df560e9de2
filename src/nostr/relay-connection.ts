import NDK, { NDKRelay } from "@nostr-dev-kit/ndk";
import { installRelaySocket } from "./web-socket.ts";

/** What a relay may send (NIP-01, NIP-42). NOTICE is not among them: it answers nothing. */
const MESSAGES = ["EVENT", "EOSE", "OK", "CLOSED", "AUTH"] as const;

export interface RelayConnectionOptions {
  url: string;
  onMessage(message: unknown[]): void;
  onConnect(): void;
  onLost(): void;
  /** First and longest pause before the next attempt, in ms. */
  retryMs: { first: number; longest: number };
}

/** One relay's socket: kept open by NDK, opened again by us, for as long as it is not closed. */
export interface RelayConnection {
  connected(): boolean;
  /** `true` as soon as connected, `false` after `timeoutMs` or when closed. */
  whenConnected(timeoutMs: number): Promise<boolean>;
  /** Dropped without a word when not connected. */
  send(message: unknown[]): void;
  close(): void;
}

/**
 * NDK's NDKRelay as a socket with keepalive. Its own bookkeeping of publishes and subscriptions is bypassed by
 * protocol handlers: it would hand one relay's events to another's query, sample signatures, and mistake a
 * second publish of one event. No signer is given to NDK, so no NDK object holds the key.
 */
export function openRelayConnection(options: RelayConnectionOptions): RelayConnection {
  installRelaySocket();
  const ndk = new NDK({ enableOutboxModel: false, autoConnectUserRelays: false, explicitRelayUrls: [] });
  const relay = new NDKRelay(options.url, undefined, ndk);
  for (const type of MESSAGES) {
    relay.registerProtocolHandler(type, (_relay, message) => options.onMessage(message));
  }
  const waiting = new Set<(connected: boolean) => void>();
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let pauseMs = options.retryMs.first;

  const settleWaiting = (connected: boolean) => {
    for (const settle of waiting) settle(connected);
    waiting.clear();
  };

  relay.on("connect", () => {
    if (closed) return;
    pauseMs = options.retryMs.first;
    settleWaiting(true);
    options.onConnect();
  });

  relay.on("disconnect", () => {
    // NDK gives up after some attempts and calls quick losses flapping: its timer goes, ours is the only one.
    relay.connectivity.resetReconnectionState();
    // A connection that NDK held for stale is still open, and its late `close` would take the next one down.
    relay.connectivity.disconnect();
    if (retry !== undefined || closed) return;
    options.onLost();
    retry = setTimeout(() => {
      retry = undefined;
      connect();
    }, pauseMs);
    pauseMs = Math.min(pauseMs * 2, options.retryMs.longest);
  });

  function connect(): void {
    // Rejects only for a URL that no socket takes, and then there is nothing to try again.
    relay.connect().catch(() => undefined);
  }

  connect();
  return {
    connected: () => relay.connected,
    whenConnected(timeoutMs) {
      if (relay.connected || closed) return Promise.resolve(!closed);
      return new Promise((resolve) => {
        const settle = (connected: boolean) => {
          clearTimeout(timer);
          waiting.delete(settle);
          resolve(connected);
        };
        const timer = setTimeout(settle, timeoutMs, false);
        waiting.add(settle);
      });
    },
    send(message) {
      void relay.connectivity.send(JSON.stringify(message));
    },
    close() {
      closed = true;
      clearTimeout(retry);
      settleWaiting(false);
      relay.connectivity.resetReconnectionState();
      relay.connectivity.disconnect();
    },
  };
}
