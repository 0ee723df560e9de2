import type { IncomingMessage, ServerResponse } from "node:http";
import type { NodeFault } from "./node-harness.ts";
import {
  answerRoute,
  type PhoenixdAnswer,
  type PhoenixdRoute,
  type PhoenixdState,
  plain,
  routeOf,
} from "./phoenixd-routes.ts";

/** Who may ask, and what goes wrong then. */
export interface PhoenixdDoor {
  password: string;
  /** As of a proxy before it: without a slash at its end. */
  basePath: string;
  /** Asked about every request that has the right password. */
  faultOf(route: PhoenixdRoute): NodeFault | undefined;
}

export const UNAUTHORISED = plain(401, "The password is not right");
export const SERVER_ERROR = plain(500, "Something went wrong");
export const UNKNOWN_PATH = plain(404, "Unknown endpoint");
export const GARBAGE = "<html><body>It works!</body></html>";

const MAX_BODY_BYTES = 64 * 1024;

/** Reads one request, carries it out, answers; a fault changes which of these happen. */
export async function handlePhoenixdRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { password, basePath, faultOf }: PhoenixdDoor,
  state: PhoenixdState,
): Promise<unknown> {
  const send = ({ status, type, body }: PhoenixdAnswer) =>
    response.writeHead(status, { "content-type": `${type}; charset=UTF-8` }).end(body);
  const target = targetOf(request, basePath);
  const body = await readBody(request);
  const route = target && routeOf(target);
  if (!route || route === "websocket") return send(UNKNOWN_PATH);
  if (!hasPassword(request, password)) return send(UNAUTHORISED);
  const act = () => answerRoute(state, route, { method: request.method ?? "GET", ...target, body });
  switch (faultOf(route)) {
    case undefined:
      return send(act());
    case "stall":
      return;
    case "drop-before":
      return request.socket.destroy();
    case "drop-after":
      act();
      return request.socket.destroy();
    case "error-500":
      return send(SERVER_ERROR);
    case "garbage":
      return response.writeHead(200, { "content-type": "text/html" }).end(GARBAGE);
    case "unauthorised":
      return send(UNAUTHORISED);
  }
}

/** Undefined outside the base path. */
export function targetOf(
  request: IncomingMessage,
  basePath: string,
): { path: string; query: URLSearchParams } | undefined {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://phoenixd");
  return pathname.startsWith(`${basePath}/`)
    ? { path: pathname.slice(basePath.length), query: searchParams }
    : undefined;
}

/** Any user name is taken. */
export function hasPassword({ headers }: IncomingMessage, password: string): boolean {
  const [, credentials] = /^Basic (.+)$/i.exec(headers.authorization ?? "") ?? [];
  const text = Buffer.from(credentials ?? "", "base64").toString("utf8");
  return text.includes(":") && text.slice(text.indexOf(":") + 1) === password;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error("the body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
