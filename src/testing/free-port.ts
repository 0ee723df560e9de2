import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below where Linux picks ports for outgoing connections: nobody else gets one of these by chance. */
const PORTS = { from: 20_000, below: 32_000 };
const ATTEMPTS = 50;

/** A TCP port of loopback that was free a moment ago and is not handed out by the system. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(PORTS.from, PORTS.below);
    if (await canListen(port)) return port;
  }
  throw new Error("no free port was found");
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
