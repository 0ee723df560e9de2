import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import type { SelfSigned } from "./lnd-certificate.ts";

export interface LndListener {
  /** Ends the TCP connection of a request with a reset. */
  reset(request: { socket: { remotePort?: number | undefined } }): void;
  /** Drops all connections. */
  close(): Promise<void>;
}

const TLS_HANDSHAKE = 0x16;
const PLAIN_HTTP_ANSWER = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/** HTTPS as Go serves it: who comes without TLS is told so. */
export async function listenAsLnd(
  port: number,
  { key, certificate }: SelfSigned,
  onRequest: RequestListener,
): Promise<LndListener> {
  const sockets = new Map<number | undefined, Socket>();
  const https = createHttpsServer({ key, cert: certificate }, onRequest);
  const server: Server = createServer((socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.on("close", () => sockets.delete(remotePort));
    socket.on("error", () => socket.destroy());
    socket.once("data", (first) => {
      if (first[0] !== TLS_HANDSHAKE) return socket.end(PLAIN_HTTP_ANSWER);
      socket.pause();
      socket.unshift(first);
      https.emit("connection", socket);
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    reset: (request) => sockets.get(request.socket.remotePort)?.resetAndDestroy(),
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets.values()) socket.destroy();
      await closed;
    },
  };
}
