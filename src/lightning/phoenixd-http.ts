import type * as z from "zod";
import { NodeError } from "../sales/lightning/ports.ts";

const MAX_ANSWER_BYTES = 1024 * 1024;

export interface PhoenixdAccess {
  /** Where the API is; may have a path. */
  baseUrl: string;
  /** phoenixd's `http-password`, or `http-password-limited-access`, which is enough. */
  password: string;
  /** For a whole exchange, body included. */
  timeoutMs: number;
}

export interface HttpAnswer {
  status: number;
  text: string;
}

/** One call, one request: no retry, no redirect, bounded in time and size. Throws `NodeError` without an answer. */
export interface PhoenixdHttp {
  get(path: string, query?: Record<string, string>, signal?: AbortSignal): Promise<HttpAnswer>;
  post(path: string, form: Record<string, string>): Promise<HttpAnswer>;
}

export function createPhoenixdHttp({ baseUrl, password, timeoutMs }: PhoenixdAccess): PhoenixdHttp {
  const root = apiRoot(baseUrl);
  const headers = { authorization: basicAuth(password) };

  async function ask(path: string, init: RequestInit, signal?: AbortSignal): Promise<HttpAnswer> {
    const stop = new AbortController();
    const abort = () => stop.abort();
    const timer = setTimeout(abort, timeoutMs);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      const response = await fetch(root + path, {
        ...init,
        headers,
        redirect: "manual",
        signal: stop.signal,
      });
      return { status: response.status, text: await boundedText(response) };
    } catch (error) {
      if (error instanceof NodeError) throw error;
      throw stop.signal.aborted
        ? new NodeError("silent", `phoenixd gave no answer within ${timeoutMs / 1000} s`)
        : unreached(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  return {
    get: (path, query = {}, signal) => ask(withQuery(path, query), {}, signal),
    post: (path, form) => ask(path, { method: "POST", body: new URLSearchParams(form) }),
  };
}

/** Without a slash at its end, and without the credentials a URL may carry, which fetch refuses and errors would show. */
export function apiRoot(baseUrl: string): string {
  const { origin, pathname } = new URL(baseUrl);
  return origin + pathname.replace(/\/+$/, "");
}

/** RFC 7617. phoenixd takes any user name. */
export function basicAuth(password: string): string {
  return `Basic ${Buffer.from(`:${password}`).toString("base64")}`;
}

/** The JSON of a 200; anything else throws `NodeError`. */
export function readJson<T>({ status, text }: HttpAnswer, schema: z.ZodType<T>): T {
  if (status !== 200) throw badStatus(status);
  const parsed = schema.safeParse(jsonOrUndefined(text));
  // Neither the text nor what the parser says of it is told: a preimage may stand in it.
  if (!parsed.success) throw notUnderstood();
  return parsed.data;
}

/** phoenixd's own word that it has no such payment. A 404 in other words is a proxy's, or of a wrong path. */
export function isUnknownPayment({ status, text }: HttpAnswer): boolean {
  return status === 204 || (status === 404 && text.trim() === "Not found");
}

/** phoenixd itself answers 400 and 401 before it does anything. All other statuses may as well be a proxy's. */
export function badStatus(status: number): NodeError {
  if (status === 401) return new NodeError("refused", "phoenixd refuses the password");
  if (status === 400) return new NodeError("refused", "phoenixd refuses the request");
  return new NodeError("silent", `phoenixd answers HTTP ${status}`);
}

export function notUnderstood(): NodeError {
  return new NodeError("silent", "phoenixd's answer is not understood");
}

/** fetch hides the system's error code in `cause`, ws has it on the error. */
export function unreached(error: unknown): NodeError {
  const code = errorCode(error) ?? errorCode(error instanceof Error ? error.cause : undefined);
  const how =
    code !== undefined && /CERT|SSL|TLS|SIGNATURE/.test(code) ? "not reached over TLS" : "not reached";
  return new NodeError("silent", `phoenixd is ${how}${code === undefined ? "" : ` (${code})`}`, {
    cause: error,
  });
}

export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withQuery(path: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  return text === "" ? path : `${path}?${text}`;
}

async function boundedText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new NodeError("silent", "phoenixd's answer is over 1 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function errorCode(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[A-Z0-9_]{1,50}$/.test(code) ? code : undefined;
}
