import type { ClientRequest, IncomingMessage } from "node:http";
import type * as z from "zod";
import {
  failureOfStatus,
  failureOfTransport,
  type LndAnswer,
  type LndFailure,
  parseJson,
} from "./lnd-failure.ts";
import { type LndCall, readBounded, type SendToLnd } from "./lnd-request.ts";

/** One call, one request: no retry, no redirect, bounded in time and size. */
export type AskLnd = <T>(call: Omit<LndCall, "signal">, schema: z.ZodType<T>) => Promise<LndAnswer<T>>;

/** `timeoutMs` is for the whole exchange, body included. */
export function createLndHttp(send: SendToLnd, timeoutMs: number): AskLnd {
  return async (call, schema) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeoutMs);
    try {
      const response = await responseTo(send({ ...call, signal: stop.signal }));
      return await readAnswer(response, schema);
    } catch (error) {
      return stop.signal.aborted ? { kind: "late", timeoutMs } : failureOfTransport(error);
    } finally {
      clearTimeout(timer);
      // Lets go of a connection whose answer was not read to its end.
      stop.abort();
    }
  };
}

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    // Stays: the connection may break after the head of the answer, too.
    request.on("error", reject);
  });
}

async function readAnswer<T>(response: IncomingMessage, schema: z.ZodType<T>): Promise<LndAnswer<T>> {
  const status = response.statusCode ?? 0;
  const body = await readBounded(response);
  if (body === undefined) return { kind: "not-lnd", what: `HTTP ${status}, an answer over 1 MiB` };
  return status === 200 ? readOk(body, schema) : failureOfStatus(status, body);
}

function readOk<T>(body: string, schema: z.ZodType<T>): LndAnswer<T> {
  const parsed = schema.safeParse(parseJson(body));
  return parsed.success ? { kind: "ok", value: parsed.data } : unexpectedForm;
}

export const unexpectedForm: LndFailure = {
  kind: "not-lnd",
  what: "HTTP 200, not of the form LND answers in",
};
