import { type IncomingMessage, request } from "node:http";
import type * as z from "zod";

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Mints and relays that do not answer take their time. */
const WITHIN_MS = 300_000;

/** No daemon took the request, or it did not answer as one; the message is for the operator. */
export class NoDaemonError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "NoDaemonError";
  }
}

/** Asks the daemon behind the socket at `path`. Throws `NoDaemonError`. */
export async function askDaemon<T>(
  path: string,
  verb: string,
  answerSchema: z.ZodType<T>,
  body?: unknown,
): Promise<T> {
  const { status, text } = await exchange(path, verb, body === undefined ? "" : JSON.stringify(body));
  if (status === 404) {
    throw new NoDaemonError(
      `the daemon at ${path} does not know this command (yet): it is still starting, or of another version`,
    );
  }
  if (status !== 200) throw new NoDaemonError(`the daemon at ${path} could not do it: its log says why`);
  const parsed = answerSchema.safeParse(jsonOrUndefined(text));
  if (!parsed.success) throw new NoDaemonError(`the daemon at ${path} answers as another version does`);
  return parsed.data;
}

function exchange(path: string, verb: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath: path,
      path: `/${verb}`,
      method: "POST",
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      agent: false,
    });
    const timer = setTimeout(() => asked.destroy(new Error("no answer in time")), WITHIN_MS);
    const fail = (cause: unknown) => {
      clearTimeout(timer);
      reject(noDaemon(path, cause));
    };
    asked.once("error", fail);
    asked.once("response", (response) => {
      readBounded(response).then((text) => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, text });
      }, fail);
    });
    asked.end(body);
  });
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function noDaemon(path: string, cause: unknown): NoDaemonError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT" || code === "ECONNREFUSED") {
    return new NoDaemonError(`no daemon answers at ${path}: is it running, with this configuration?`, {
      cause,
    });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new NoDaemonError(`${path} is not yours to use: run this as the daemon's user`, { cause });
  }
  return new NoDaemonError(`the daemon at ${path} ended, or did not answer in time`, { cause });
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
