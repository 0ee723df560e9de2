import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import {
  GARBAGE,
  hasPassword,
  type PhoenixdDoor,
  SERVER_ERROR,
  targetOf,
  UNAUTHORISED,
  UNKNOWN_PATH,
} from "./phoenixd-requests.ts";
import { type PhoenixdAnswer, routeOf } from "./phoenixd-routes.ts";

/** phoenixd's `/websocket`. */
export interface PhoenixdWebSockets {
  /** For the HTTP server's event of that name. */
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** How many are open. */
  count(): number;
  say(message: string): void;
  ping(): void;
  /** Ends them, and what has asked for one in vain. */
  break(): void;
}

export function createPhoenixdWebSockets({ password, basePath, faultOf }: PhoenixdDoor): PhoenixdWebSockets {
  // phoenixd takes the password as a sub-protocol and names none in its answer.
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => false });
  /** The HTTP server does not count them among its connections any more. */
  const upgraded = new Set<Duplex>();

  function answerUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): unknown {
    const open = (then: (stream: WebSocket) => void) => sockets.handleUpgrade(request, socket, head, then);
    const target = targetOf(request, basePath);
    if (!target || routeOf(target) !== "websocket") return refuse(socket, UNKNOWN_PATH);
    if (!hasPassword(request, password) && !offersPassword(request, password)) {
      return refuse(socket, UNAUTHORISED);
    }
    switch (faultOf("websocket")) {
      case undefined:
        return open((stream) => stream.on("error", () => stream.terminate()));
      case "stall":
        return;
      case "drop-before":
        return socket.destroy();
      case "drop-after":
        return open((stream) => stream.terminate());
      case "error-500":
        return refuse(socket, SERVER_ERROR);
      case "garbage":
        return open((stream) => stream.send(GARBAGE));
      case "unauthorised":
        return refuse(socket, UNAUTHORISED);
    }
  }

  return {
    onUpgrade(request, socket, head) {
      upgraded.add(socket);
      socket.on("close", () => upgraded.delete(socket));
      socket.on("error", () => socket.destroy());
      answerUpgrade(request, socket, head);
    },
    count: () => sockets.clients.size,
    say(message) {
      for (const stream of sockets.clients) stream.send(message);
    },
    ping() {
      for (const stream of sockets.clients) stream.ping();
    },
    break() {
      for (const socket of upgraded) socket.destroy();
    },
  };
}

/** For browsers, which cannot send basic auth with a WebSocket. */
function offersPassword({ headers }: IncomingMessage, password: string): boolean {
  const offered = headers["sec-websocket-protocol"]?.split(",") ?? [];
  return offered.some((protocol) => protocol.trim() === password);
}

function refuse(socket: Duplex, { status, body }: PhoenixdAnswer): void {
  const head = [`HTTP/1.1 ${status} Refused`, "connection: close", `content-length: ${body.length}`];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
