import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

/** Where an LND's REST interface is, and what opens it. */
export interface LndAddress {
  /** http or https, with a path or without. */
  baseUrl: string;
  macaroonHex: string;
  /** PEM of LND's tls.cert, which signs itself. Undefined: what the system trusts. */
  certificate?: string | undefined;
}

export interface LndCall {
  method: "GET" | "POST";
  /** With its query. */
  path: string;
  body?: unknown;
  /** Without the macaroon. */
  anonymous?: boolean;
  signal: AbortSignal;
}

export type SendToLnd = (call: LndCall) => ClientRequest;

/**
 * Sends one request, whole. Node's built-in fetch takes no CA, so this is the older way. Throws `ERR_INVALID_CHAR` when
 * the macaroon cannot stand in a header.
 */
export function createLndRequest({ baseUrl, macaroonHex, certificate }: LndAddress): SendToLnd {
  // Without a user and password, should the URL hold them.
  const { origin, pathname, protocol } = new URL(baseUrl);
  const root = origin + pathname.replace(/\/+$/, "");
  const isSecure = protocol === "https:";
  const trust = certificate === undefined ? {} : { ca: certificate };

  return ({ method, path, body, anonymous, signal }) => {
    const headers = {
      accept: "application/json",
      ...(anonymous ? {} : { "grpc-metadata-macaroon": macaroonHex }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    // One connection a call: on a kept one that LND is closing just then, nobody would know what became of the call.
    const options = { method, headers, signal, agent: false };
    const request = isSecure
      ? httpsRequest(root + path, { ...options, ...trust })
      : httpRequest(root + path, options);
    return request.end(body === undefined ? undefined : JSON.stringify(body));
  };
}

const MAX_ANSWER_BYTES = 1024 * 1024;

/** `undefined` when the answer goes on beyond 1 MiB; the rest is not read. */
export async function readBounded(response: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
