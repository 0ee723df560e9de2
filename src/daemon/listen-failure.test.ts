import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { inWordsOfListening } from "./listen-failure.ts";
import { StartRefused } from "./start-refused.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    servers.push(server.listen(port, host, () => resolve(server)));
  });
}

async function refused(host: string, port: number): Promise<StartRefused> {
  const error = await listen(host, port).catch((cause: unknown) => inWordsOfListening(cause, host, port));
  if (!(error instanceof StartRefused)) throw new Error("it was not refused in our words");
  return error;
}

it("names the port that another program has, and how to find that", async () => {
  const { port } = (await listen("127.0.0.1", 0)).address() as AddressInfo;
  const { message, exitCode } = await refused("127.0.0.1", port);
  expect(message).toBe(
    `another program already listens on 127.0.0.1 port ${port} (EADDRINUSE): end it (\`ss -ltnp\` names it), ` +
      "or write another server.port",
  );
  expect(exitCode).toBe(1);
});

it("takes an address that is not this machine's for a mistake in the config", async () => {
  const { message, exitCode } = await refused("192.0.2.99", 8080);
  expect(message).toContain("server.host: 192.0.2.99 is no address of this machine (EADDRNOTAVAIL)");
  expect(exitCode).toBe(78);
});

it("leaves any other error as it is", () => {
  const error = new Error("of the book");
  expect(inWordsOfListening(error, "127.0.0.1", 8080)).toBe(error);
});
