import { WebSocket } from "ws";
import { NodeError } from "../sales/lightning/ports.ts";
import { badStatus, jsonOrUndefined, notUnderstood, unreached } from "./phoenixd-http.ts";
import { streamEvent } from "./phoenixd-messages.ts";

/** An event is a few hundred bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** Hashes that wait to be looked up. Beyond it the stream ends: paging is the better way to catch up. */
const MAX_WAITING = 10_000;

export interface StreamSettings {
  url: string;
  authorization: string;
  handshakeTimeoutMs: number;
  /** phoenixd pings every 10 s: without a ping for so long the connection is dead. */
  silenceMs: number;
}

/**
 * Payment hashes as they are paid, from the moment this resolves. The iteration ends when the connection does, and
 * when `signal` aborts; it throws `NodeError` when phoenixd falls silent or is not understood.
 */
export interface PaymentStream extends AsyncIterable<string> {
  close(): void;
}

/** Throws `NodeError` when the connection does not come about. */
export async function openPaymentStream(
  settings: StreamSettings,
  signal: AbortSignal,
): Promise<PaymentStream> {
  const socket = new WebSocket(settings.url, {
    headers: { authorization: settings.authorization },
    handshakeTimeout: settings.handshakeTimeoutMs,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
  });
  const waiting: string[] = [];
  const state = { open: false, ended: false, failure: undefined as NodeError | undefined };
  let wake = () => {};
  const change = () => new Promise<void>((resolve) => (wake = resolve));

  const end = (failure?: NodeError) => {
    if (state.ended) return;
    state.ended = true;
    state.failure = failure;
    clearTimeout(deadline);
    signal.removeEventListener("abort", close);
    socket.terminate();
    wake();
  };
  const close = () => end();
  const deadline = setTimeout(
    () => end(new NodeError("silent", `no ping from phoenixd within ${settings.silenceMs / 1000} s`)),
    settings.silenceMs,
  );

  socket.on("open", () => {
    state.open = true;
    wake();
  });
  socket.on("ping", () => deadline.refresh());
  socket.on("message", (data) => {
    const event = streamEvent.safeParse(jsonOrUndefined(data.toString()));
    if (!event.success) return end(notUnderstood());
    const { type, paymentHash } = event.data;
    if (type !== "payment_received" || paymentHash === undefined) return;
    if (waiting.length >= MAX_WAITING) {
      return end(new NodeError("silent", "phoenixd tells of more payments than are looked up in time"));
    }
    waiting.push(paymentHash);
    wake();
  });
  socket.on("unexpected-response", (_request, response) => end(badStatus(response.statusCode ?? 0)));
  socket.on("error", (error) => end(failureOf(error, state.open)));
  socket.on("close", () => end(state.open ? undefined : unreached(undefined)));
  signal.addEventListener("abort", close);
  if (signal.aborted) close();

  while (!state.open && !state.ended) await change();
  if (state.failure) throw state.failure;

  return {
    close,
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const paymentHash = waiting.shift();
        if (paymentHash !== undefined) yield paymentHash;
        else if (state.failure) throw state.failure;
        else if (state.ended) return;
        else await change();
      }
    },
  };
}

/** A broken connection is an end like any other. Frames that are none, or too large, are not. */
function failureOf(error: Error, wasOpen: boolean): NodeError | undefined {
  if (!wasOpen) return unreached(error);
  const broken = "code" in error && typeof error.code === "string" && error.code.startsWith("WS_ERR");
  return broken ? notUnderstood() : undefined;
}
