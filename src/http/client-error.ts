import type { Socket } from "node:net";
import { CORS_HEADERS } from "./cors.ts";

const ANSWERS: Record<string, readonly [status: string, message: string]> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "The headers are too large: at most 64 KiB."],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request took too long to arrive."],
};
const UNREADABLE = ["400 Bad Request", "This is no HTTP request."] as const;
const LINGER_MS = 1000;

/**
 * Answers what Node's parser refuses, before there is a request, in the JSON of every other error. A buyer whose
 * token is too long for a header learns so instead of seeing the connection break.
 */
export function createClientErrorHandler(): (error: { code?: string }, socket: Socket) => void {
  const answered = new WeakSet<Socket>();
  return (error, socket) => {
    // The parser complains again about every further piece of the same request.
    if (answered.has(socket)) return;
    answered.add(socket);
    if (!socket.writable || error.code === "ECONNRESET" || hasAnswerUnderWay(socket)) {
      socket.destroy();
      return;
    }
    const [status, message] = ANSWERS[error.code ?? ""] ?? UNREADABLE;
    socket.end(rawAnswer(status, JSON.stringify({ status: "error", reason: "bad-request", message })));
    // Closing with unread bytes resets the connection, and the answer with it: read on for a while.
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
    socket.resume();
  };
}

/** Node hangs the response that a socket is being used for on it (as its own handler of this event checks). */
function hasAnswerUnderWay(socket: Socket & { _httpMessage?: { headersSent: boolean } | null }): boolean {
  return socket._httpMessage?.headersSent ?? false;
}

function rawAnswer(status: string, body: string): string {
  const headers = {
    ...CORS_HEADERS,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status}`, ...lines, "", body].join("\r\n");
}
