import { type AddressInfo, connect, type Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { PurchaseRequest } from "../sales/purchase-request.ts";
import { buildApp } from "./app.ts";
import type { InfoDocument } from "./info-document.ts";

let app: FastifyInstance;
let port: number;
let asked: PurchaseRequest[];
let answerPurchase: () => void;
let sockets: Socket[];

beforeEach(async () => {
  asked = [];
  sockets = [];
  answerPurchase = () => {};
  app = buildApp({
    info: { software: "europa-node" } as InfoDocument,
    health: () => {
      throw new Error("not asked here");
    },
    purchase: (request) => {
      asked.push(request);
      if (request.protocol !== "slow") return Promise.resolve({ config: "x", expiresAt: 1 });
      return new Promise((resolve) => {
        answerPurchase = () => resolve({ config: "x", expiresAt: 1 });
      });
    },
    lnurl: undefined,
    viewer: undefined,
    trustedProxies: [],
    monotonicMs: () => performance.now(),
    logger: { error: () => {} },
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  port = (app.server.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await app.close();
});

function open(): Socket {
  const socket = connect(port, "127.0.0.1");
  // A reset shows in what was read, or was not.
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
}

/** All that the server says on one connection until it closes it. */
function listenTo(socket: Socket): { socket: Socket; all: Promise<string> } {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  const all = new Promise<string>((resolve) => {
    socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
  });
  return { socket, all };
}

function exchange(bytes: string): Promise<string> {
  const { socket, all } = listenTo(open());
  socket.write(bytes);
  return all;
}

function requestText(line: string, headers: Record<string, string> = {}, body = ""): string {
  const all = { host: "x", connection: "close", "content-length": String(body.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${line} HTTP/1.1`, ...lines, "", body].join("\r\n");
}

const JSON_TYPE = { "content-type": "application/json" };

it("takes an X-Cashu header of 60 KiB", async () => {
  const token = `cashuB${"x".repeat(60 * 1024)}`;
  const answer = await exchange(requestText("POST /purchase", { ...JSON_TYPE, "x-cashu": token }, "{}"));
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(asked.map((request) => request.token === token)).toEqual([true]);
});

it("takes the same token in the body", async () => {
  const token = `cashuB${"x".repeat(60 * 1024)}`;
  await exchange(requestText("POST /purchase", JSON_TYPE, JSON.stringify({ token })));
  expect(asked.map((request) => request.token === token)).toEqual([true]);
});

it.each([66, 1024])(
  "answers headers of %i KiB with 431 in JSON, readable across origins",
  async (kibibytes) => {
    const answer = await exchange(requestText("GET /info", { "x-cashu": "x".repeat(kibibytes * 1024) }));
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(head).toContain("access-control-allow-origin: *");
    expect(head).toContain(`content-length: ${body.length}`);
    expect(JSON.parse(body)).toMatchObject({ status: "error", reason: "bad-request" });
  },
);

it("answers what is no HTTP with 400 in JSON", async () => {
  const answer = await exchange("\x16\x03\x01\x02\x00hello\r\n\r\n");
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({ reason: "bad-request" });
});

it("answers a body over 64 KiB with 413, CORS on it", async () => {
  const body = JSON.stringify({ token: "x".repeat(100 * 1024) });
  const answer = await exchange(requestText("POST /purchase", JSON_TYPE, body));
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toContain("access-control-allow-origin: *");
});

it("answers HEAD /info with headers alone", async () => {
  const answer = await exchange(requestText("HEAD /info"));
  const [head = "", body] = answer.split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 200 /);
  expect(head).toMatch(/access-control-allow-origin: \*/i);
  expect(body).toBe("");
});

it("bounds how long a request may take to arrive", () => {
  expect(app.server.headersTimeout).toBe(15_000);
  expect(app.server.requestTimeout).toBe(30_000);
  expect(app.server.keepAliveTimeout).toBe(125_000);
  expect(app.server.timeout).toBe(130_000);
});

it("finishes what is in flight while closing, and refuses what arrives whole only then", async () => {
  const inFlight = listenTo(open());
  const body = '{"protocol":"slow"}';
  inFlight.socket.write(requestText("POST /purchase", { ...JSON_TYPE, connection: "keep-alive" }, body));
  const late = listenTo(open());
  const request = requestText("GET /info", { connection: "keep-alive" });
  late.socket.write(request.slice(0, 20));
  await expect.poll(() => asked.length).toBe(1);
  const closed = app.close();
  await expect.poll(() => app.server.listening).toBe(false);
  late.socket.write(request.slice(20));
  const refused = await late.all;
  expect(refused).toMatch(/^HTTP\/1\.1 503 /);
  expect(refused).toContain('"reason":"tunnel-unavailable"');
  expect(refused.toLowerCase()).toContain("retry-after: 5");
  expect(refused).toContain("access-control-allow-origin: *");
  answerPurchase();
  const answered = await inFlight.all;
  expect(answered).toMatch(/^HTTP\/1\.1 200 /);
  expect(answered).toContain('"config":"x"');
  await closed;
});

it("does not wait at its close for a connection on which nothing was ever asked", async () => {
  const { socket, all } = listenTo(open());
  await new Promise((resolve) => socket.once("connect", resolve));
  await app.close();
  expect(await all).toBe("");
});
