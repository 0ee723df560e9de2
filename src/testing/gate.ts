import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A way to a server that can be shut: the same bytes on another port of loopback. */
export interface Gate {
  /** The server's URL as seen through the gate, the same through every `shut` and `open`. */
  readonly url: string;
  /** Breaks every connection; new ones are refused as by a machine where nothing listens. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

export async function startGate(serverUrl: string): Promise<Gate> {
  const { hostname, port: serverPort } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let port = 0;
  let server: Server | undefined;

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    return socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  }

  async function open(): Promise<void> {
    if (server) return;
    server = createServer((incoming) => {
      const outgoing = keep(connect(Number(serverPort), hostname));
      keep(incoming).pipe(outgoing).pipe(incoming);
      incoming.on("close", () => outgoing.destroy());
      outgoing.on("close", () => incoming.destroy());
    }).listen(port, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  }

  async function shut(): Promise<void> {
    if (!server) return;
    const closed = once(server.close(), "close");
    server = undefined;
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  await open();
  return { url: `http://127.0.0.1:${port}`, open, shut };
}
