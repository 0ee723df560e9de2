import { WebSocket } from "ws";

const HANDSHAKE_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 500;
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/**
 * The socket under NDK. Every attempt ends in `close`, also one that is never answered: websocket-polyfill
 * reports a dead host by `error` alone, and NDK then stays CONNECTING for ever.
 */
class RelaySocket extends WebSocket {
  constructor(url: string) {
    super(url, {
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
    });
  }

  override close(code?: number, reason?: string): void {
    super.close(code, reason);
    setTimeout(() => this.terminate(), CLOSE_TIMEOUT_MS).unref();
  }
}

/** NDK takes its socket from the global; this puts ours there, over websocket-polyfill's. Safe to repeat. */
export function installRelaySocket(): void {
  Reflect.set(globalThis, "WebSocket", RelaySocket);
}
