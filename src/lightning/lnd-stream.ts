import type { ClientRequest, IncomingMessage } from "node:http";
import type * as z from "zod";
import {
  failureOfStatus,
  failureOfTransport,
  type LndAnswer,
  type LndFailure,
  parseJson,
  readError,
} from "./lnd-failure.ts";
import { unexpectedForm } from "./lnd-http.ts";
import { readBounded, type SendToLnd } from "./lnd-request.ts";

/** An invoice paid in hundreds of parts stays well below. */
const MAX_LINE_BYTES = 1024 * 1024;

/**
 * LND sends neither a heartbeat nor, before the first event, the head of its answer: a quiet stream is a healthy one,
 * and no time limit may end it. Only the kernel can tell that the other side is gone without a word: after this long
 * it asks (TCP keep-alive), and ten unanswered seconds later the connection has ended.
 */
const KEEP_ALIVE_AFTER_MS = 30_000;

/**
 * The events of a stream, one JSON a line. Ends when the connection does or `signal` aborts; a failure is the last
 * item. `timeoutMs` is for connecting.
 */
export async function* streamFromLnd<T>(
  send: SendToLnd,
  path: string,
  schema: z.ZodType<T>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): AsyncGenerator<LndAnswer<T>> {
  const opened = await openStream(send, path, timeoutMs, signal);
  if (opened.kind === "ended") return;
  if (opened.kind !== "open") return yield opened;
  const { response } = opened;
  if (response.statusCode !== 200) {
    const refusal = await readRefusal(response, timeoutMs);
    if (!signal.aborted) yield refusal;
    return;
  }
  for await (const line of splitLines(untilBroken(response))) {
    if (signal.aborted) return;
    const event = line === undefined ? tooLong : readEvent(line, schema);
    yield event;
    if (event.kind !== "ok") return;
  }
}

type OpenedStream = { kind: "open"; response: IncomingMessage } | { kind: "ended" } | LndFailure;

function openStream(
  send: SendToLnd,
  path: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<OpenedStream> {
  return new Promise((resolve) => {
    let isConnected = false;
    let request: ClientRequest;
    try {
      request = send({ method: "GET", path, signal });
    } catch (error) {
      return resolve(failureOfTransport(error));
    }
    const tooLate = setTimeout(() => {
      resolve({ kind: "late", timeoutMs });
      request.destroy();
    }, timeoutMs);
    request.once("socket", (socket) => {
      const connected = () => {
        isConnected = true;
        clearTimeout(tooLate);
        socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
      };
      socket.once("encrypted" in socket ? "secureConnect" : "connect", connected);
    });
    request.once("response", (response) => resolve({ kind: "open", response }));
    request.on("error", (error) => {
      clearTimeout(tooLate);
      const failure = failureOfTransport(error);
      const hasEnded = signal.aborted || (isConnected && failure.kind === "not-reached");
      resolve(hasEnded ? { kind: "ended" } : failure);
    });
  });
}

async function readRefusal(response: IncomingMessage, timeoutMs: number): Promise<LndFailure> {
  const status = response.statusCode ?? 0;
  const timer = setTimeout(() => response.destroy(), timeoutMs);
  try {
    return failureOfStatus(status, (await readBounded(response)) ?? "");
  } catch {
    return { kind: "not-lnd", what: `HTTP ${status}, broken off` };
  } finally {
    clearTimeout(timer);
  }
}

/** A connection that breaks (ECONNRESET) is one that ends: the next following goes on where this one was. */
async function* untilBroken(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch {}
}

const NEWLINE = 0x0a;

/**
 * Whole lines, however they are cut into chunks; `undefined` for one that is too long. In UTF-8 the byte of a line's
 * end is part of no other character, so the bytes are split first and decoded then.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<string | undefined> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      pieces.push(rest.subarray(0, end));
      yield length + end > maxBytes ? undefined : Buffer.concat(pieces).toString("utf8");
      rest = rest.subarray(end + 1);
      pieces = [];
      length = 0;
    }
    pieces.push(rest);
    length += rest.length;
    if (length > maxBytes) yield undefined;
  }
}

const tooLong: LndFailure = { kind: "not-lnd", what: "a line over 1 MiB" };

function readEvent<T>(line: string, schema: z.ZodType<T>): LndAnswer<T> {
  const json = parseJson(line);
  const parsed = schema.safeParse(json);
  return parsed.success ? { kind: "ok", value: parsed.data } : (readError(json) ?? unexpectedForm);
}
