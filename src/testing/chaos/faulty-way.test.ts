import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type FaultyWay, startFaultyWay, type WayFault } from "./faulty-way.ts";

let mint: Server;
let way: FaultyWay;
/** Bodies that came to the mint, in their order. */
let came: string[];

beforeEach(async () => {
  came = [];
  mint = createServer(async (request, response) => {
    came.push(await text(request));
    response.writeHead(200, { "content-type": "application/json" }).end(`"${came.length}"`);
  }).listen(0, "127.0.0.1");
  await once(mint, "listening");
  way = await startFaultyWay(`http://127.0.0.1:${(mint.address() as AddressInfo).port}`);
});

afterEach(async () => {
  await way.close();
  mint.closeAllConnections();
  mint.close();
});

function faults(...planned: (WayFault | undefined)[]): void {
  way.fault = () => planned.shift();
}

/** What was answered, or undefined where the connection broke. */
async function post(body: string): Promise<string | undefined> {
  const response = await fetch(`${way.url}/v1/swap`, { method: "POST", body }).catch(() => undefined);
  return response?.text();
}

it("lets everything through where nothing is planned", async () => {
  expect([await post("a"), await post("b")]).toEqual(['"1"', '"2"']);
  expect(came).toEqual(["a", "b"]);
});

it("loses a request, or its answer", async () => {
  faults({ kind: "drop-before" }, { kind: "drop-after" });
  expect([await post("a"), await post("b")]).toEqual([undefined, undefined]);
  expect(came).toEqual(["b"]);
});

it("answers for the mint, which has acted or not", async () => {
  faults({ kind: "pending", acts: false }, { kind: "status", status: 502, acts: true });
  expect(await post("a")).toContain("11002");
  expect(await post("b")).toContain("<h1>");
  expect(came).toEqual(["b"]);
});

it("brings a late request just before it is sent once more", async () => {
  faults({ kind: "late" });
  expect([await post("a"), await post("b")]).toEqual([undefined, '"1"']);
  expect(await post("a")).toBe('"3"');
  expect(came).toEqual(["b", "a", "a"]);
});

it("brings a late request at last when it heals", async () => {
  faults({ kind: "late" });
  await post("a");
  expect(came).toEqual([]);
  way.heal();
  await way.idle();
  expect(came).toEqual(["a"]);
});
