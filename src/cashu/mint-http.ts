import type * as z from "zod";

const MAX_ANSWER_BYTES = 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 10_000;
/** NUT error codes that say "not yet", not "no": proofs pending, outputs pending, quote pending. */
const PENDING_CODES = new Set([11002, 11004, 20005]);

/** What came of one request to a mint. Only `ok` and `refused` come from the mint itself for certain. */
export type MintAnswer<T> =
  | { kind: "ok"; value: T }
  /** HTTP 400 with a NUT error `code` and `detail`, not of the kind "pending". */
  | { kind: "refused"; code: number }
  /** Silence, a proxy, garbage. `why` holds nothing of request or answer. */
  | { kind: "unclear"; why: string };

/** One call, one request: no retry, no redirect, bounded in time and size. */
export interface MintHttp {
  get<T>(mintUrl: string, path: string, schema: z.ZodType<T>): Promise<MintAnswer<T>>;
  post<T>(mintUrl: string, path: string, body: string, schema: z.ZodType<T>): Promise<MintAnswer<T>>;
}

export interface MintHttpSettings {
  /** For the whole exchange, body included. */
  timeoutMs?: number;
  fetch?: typeof fetch;
}

export function createMintHttp(settings: MintHttpSettings = {}): MintHttp {
  const timeoutMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const send = settings.fetch ?? fetch;

  async function ask<T>(mintUrl: string, path: string, init: RequestInit, schema: z.ZodType<T>) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeoutMs);
    try {
      const url = mintUrl.replace(/\/+$/, "") + path;
      const response = await send(url, { ...init, redirect: "manual", signal: stop.signal });
      return await readAnswer(response, schema);
    } catch (error) {
      return unclear(stop.signal.aborted ? `no answer within ${timeoutMs} ms` : networkTrouble(error));
    } finally {
      clearTimeout(timer);
      // Lets go of a connection whose answer was not read to its end.
      stop.abort();
    }
  }

  const headers = { accept: "application/json" };
  return {
    get: (mintUrl, path, schema) => ask(mintUrl, path, { headers }, schema),
    post: (mintUrl, path, body, schema) =>
      ask(
        mintUrl,
        path,
        { method: "POST", headers: { ...headers, "content-type": "application/json" }, body },
        schema,
      ),
  };
}

async function readAnswer<T>(response: Response, schema: z.ZodType<T>): Promise<MintAnswer<T>> {
  const { status } = response;
  if (status !== 200 && status !== 400) {
    return unclear(status >= 300 && status < 400 ? `HTTP ${status}, a redirect` : `HTTP ${status}`);
  }
  const text = await boundedText(response);
  if (text === undefined) return unclear(`HTTP ${status}, an answer over 1 MiB`);
  const json = jsonOrUndefined(text);
  if (json === undefined) return unclear(`HTTP ${status}, not JSON`);
  if (status === 400) return readRefusal(json);
  const parsed = schema.safeParse(json);
  return parsed.success
    ? { kind: "ok", value: parsed.data }
    : unclear("HTTP 200, not of the form a mint answers in");
}

function readRefusal(json: unknown): MintAnswer<never> {
  if (typeof json !== "object" || json === null || !("code" in json) || !("detail" in json)) {
    return unclear("HTTP 400 without a NUT error");
  }
  const { code, detail } = json;
  if (typeof code !== "number" || !Number.isSafeInteger(code) || typeof detail !== "string") {
    return unclear("HTTP 400 without a NUT error");
  }
  // Some mints say "pending" under a general code.
  if (PENDING_CODES.has(code) || /\bpending\b/i.test(detail)) return unclear(`pending, code ${code}`);
  return { kind: "refused", code };
}

/** `undefined` when the answer goes on beyond the bound; the rest is not read. */
async function boundedText(response: Response): Promise<string | undefined> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch hides the system's error code in `cause`. */
function networkTrouble(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return typeof code === "string" && /^[A-Z0-9_]{1,40}$/.test(code) ? `not reached (${code})` : "not reached";
}

function unclear(why: string): { kind: "unclear"; why: string } {
  return { kind: "unclear", why };
}
