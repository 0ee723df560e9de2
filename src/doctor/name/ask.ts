import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request } from "node:https";
import type { TLSSocket } from "node:tls";

/** Where the public name leads: one of its addresses. */
export interface Door {
  address: string;
  port: number;
  /** For SNI and the Host header. */
  name: string;
}

export interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Something worth money is sent: not to whoever has no right certificate. */
  verified?: boolean;
  withinMs?: number;
}

export type Asked =
  | {
      kind: "answered";
      status: number;
      headers: IncomingHttpHeaders;
      text: string;
      certificate: Certificate;
    }
  /** `code` is the system's; `late` when there was no answer in time. */
  | { kind: "failed"; code: string };

export interface Certificate {
  /** Undefined: a buyer's client takes it. */
  flaw: string | undefined;
  /** Unix seconds. */
  validFrom: number;
  validTo: number;
}

const WITHIN_MS = 6_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * One request over TLS, no redirect, bounded in time and size. Unless `verified`, what is sent holds no secret, so a bad
 * certificate does not end it: it is told beside the answer.
 */
export function ask(door: Door, path: string, options: AskOptions = {}): Promise<Asked> {
  const { method = "GET", headers = {} } = options;
  return new Promise((resolve) => {
    const asked = request({
      host: door.address,
      port: door.port,
      servername: serverName(door.name),
      path,
      method,
      headers: { host: door.port === 443 ? door.name : `${door.name}:${door.port}`, ...headers },
      agent: false,
      rejectUnauthorized: options.verified ?? false,
      signal: AbortSignal.timeout(options.withinMs ?? WITHIN_MS),
    });
    asked.once("error", (error: NodeJS.ErrnoException) => resolve({ kind: "failed", code: codeOf(error) }));
    asked.once("response", (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      const certificate = certificateOf(response.socket as TLSSocket);
      boundedText(response).then(
        (text) => resolve({ kind: "answered", status, headers: answered, text, certificate }),
        (error: NodeJS.ErrnoException) => resolve({ kind: "failed", code: codeOf(error) }),
      );
    });
    asked.end(options.body);
  });
}

/** An address is no server name (RFC 6066). */
function serverName(name: string): string {
  return /^[\d.]+$|:/.test(name) ? "" : name;
}

function codeOf(error: NodeJS.ErrnoException): string {
  if (error.name === "AbortError" || error.name === "TimeoutError") return "late";
  return /^[A-Z0-9_]{1,60}$/.test(error.code ?? "") ? (error.code as string) : "no code";
}

function certificateOf(socket: TLSSocket): Certificate {
  const { valid_from, valid_to } = socket.getPeerCertificate();
  const flaw = socket.authorized ? undefined : String(socket.authorizationError);
  return { flaw, validFrom: seconds(valid_from), validTo: seconds(valid_to) };
}

function seconds(date: string): number {
  return Math.floor(Date.parse(date) / 1000);
}

async function boundedText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw Object.assign(new Error("too large"), { code: "too large" });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
