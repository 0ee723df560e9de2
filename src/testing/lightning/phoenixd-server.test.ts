import { once } from "node:events";
import { utils } from "lnurl-pay";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type PhoenixdServer, startPhoenixdServer } from "./phoenixd-server.ts";

const PASSWORD = "secret";
const headers = { authorization: `Basic ${Buffer.from(`anyone:${PASSWORD}`).toString("base64")}` };

let nowMs: number;
let server: PhoenixdServer;

beforeEach(async () => {
  nowMs = 1_700_000_000_000;
  server = await startPhoenixdServer({ password: PASSWORD, now: () => nowMs });
});
afterEach(() => server.close());

const get = (path: string) => fetch(server.url + path, { headers });
const list = async (query: string) => (await get(`/payments/incoming?${query}`)).json() as Promise<Entry[]>;

interface Entry {
  paymentHash: string;
}

async function create(terms: Record<string, string> = {}): Promise<string> {
  const body = new URLSearchParams({ amountSat: "21", descriptionHash: "ab".repeat(32), ...terms });
  const response = await fetch(`${server.url}/createinvoice`, { method: "POST", headers, body });
  return ((await response.json()) as Entry).paymentHash;
}

it("answers errors in plain text", async () => {
  const answers = await Promise.all([
    fetch(`${server.url}/getinfo`),
    get(`/payments/incoming/${"00".repeat(32)}`),
    get("/nowhere"),
    get("/createinvoice"),
    fetch(`${server.url}/createinvoice`, { method: "POST", headers }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([401, 404, 404, 405, 400]);
  for (const { headers } of answers) expect(headers.get("content-type")).toMatch(/^text\/plain/);
  expect(await answers[1]?.text()).toBe("Not found");
});

it("shows an invoice with its preimage, and as paid after the payment", async () => {
  const paymentHash = await create({ externalId: "mine", expirySeconds: "60" });
  const path = `/payments/incoming/${paymentHash}`;
  const unpaid = (await (await get(path)).json()) as Record<string, unknown>;
  expect(unpaid).toMatchObject({ paymentHash, externalId: "mine", isPaid: false, receivedSat: 0 });
  expect(unpaid).not.toHaveProperty("completedAt");
  expect(utils.getHashFromInvoice(String(unpaid.invoice))).toBe(paymentHash);
  nowMs += 60_000;
  server.pay(paymentHash, 22_000, 2_500);
  nowMs += 1;
  expect(await (await get(path)).json()).toMatchObject({
    isPaid: true,
    isExpired: true,
    requestedSat: 21,
    receivedSat: 19,
    fees: 2_500,
    createdAt: 1_700_000_000_000,
    expiresAt: 1_700_000_060_000,
    completedAt: 1_700_000_060_000,
  });
});

it("takes no payment of another sum, twice, or too late", async () => {
  const paymentHash = await create({ expirySeconds: "60" });
  expect(() => server.pay(paymentHash, 20_999)).toThrow();
  expect(() => server.pay(paymentHash, 42_001)).toThrow();
  nowMs += 60_001;
  expect(() => server.pay(paymentHash)).toThrow();
  nowMs -= 1;
  server.pay(paymentHash);
  expect(() => server.pay(paymentHash)).toThrow();
});

it("lists what was received, newest first, twenty at a time", async () => {
  const received: string[] = [];
  for (let number = 0; number < 25; number++) {
    nowMs += 1;
    received.unshift(server.receive("offer", 1_000));
  }
  const unpaid = await create({ externalId: "mine" });
  const hashes = async (query: string) => (await list(query)).map(({ paymentHash }) => paymentHash);
  expect(await hashes("")).toEqual(received.slice(0, 20));
  expect(await hashes("offset=20")).toEqual(received.slice(20));
  expect(await hashes(`from=${nowMs - 1}`)).toEqual(received.slice(0, 2));
  expect(await hashes(`to=${nowMs - 24}`)).toEqual(received.slice(24));
  expect(await hashes("all=true&limit=1")).toEqual([unpaid]);
  expect(await hashes("externalId=mine")).toEqual([]);
  expect(await hashes("externalId=mine&all=true")).toEqual([unpaid]);
});

it("counts deposits on chain for the limit and leaves them out", async () => {
  server.receive("offer", 1_000);
  nowMs += 1;
  server.receive("on-chain", 1_000_000);
  expect(await list("limit=1")).toEqual([]);
  expect(await list("limit=1&offset=1")).toHaveLength(1);
});

it("tells of payments to who has the password, in either way", async () => {
  const url = `${server.url.replace("http", "ws")}/websocket`;
  await expect(once(new WebSocket(url), "open")).rejects.toThrow("401");
  const stream = new WebSocket(url, { headers });
  await once(stream, "open");
  const message = once(stream, "message");
  const paymentHash = server.receive("offer", 1_500);
  const [data] = await message;
  expect(JSON.parse(String(data))).toMatchObject({ type: "payment_received", amountSat: 1, paymentHash });
  // ws then gives up, since phoenixd names no sub-protocol in its answer.
  const asBrowser = new WebSocket(url, PASSWORD).on("error", () => {});
  const [response] = await once(asBrowser, "upgrade");
  expect(response.statusCode).toBe(101);
});

it("comes up again on its port with its records", async () => {
  const paymentHash = await create();
  const { url } = server;
  await server.down();
  await expect(get("/getinfo")).rejects.toThrow();
  server.pay(paymentHash);
  await server.up();
  expect(server.url).toBe(url);
  expect(await list("")).toMatchObject([{ paymentHash }]);
});
