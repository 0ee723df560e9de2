import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type InvoiceOrder, NodeError } from "../sales/lightning/ports.ts";
import { eventually } from "../testing/eventually.ts";
import { freePort } from "../testing/free-port.ts";
import { describeNode } from "../testing/lightning/node-contract.ts";
import { createScene } from "../testing/lightning/node-scene.ts";
import { createPhoenixdHarness, type PhoenixdHarness } from "../testing/lightning/phoenixd-harness.ts";
import { type PhoenixdServer, startPhoenixdServer } from "../testing/lightning/phoenixd-server.ts";
import { createPhoenixd } from "./phoenixd.ts";

describeNode("phoenixd", createPhoenixdHarness);

const HASH = "ab".repeat(32);
const order: InvoiceOrder = {
  reference: "a reference of ours",
  preimage: "11".repeat(32),
  amountMsat: 21_000,
  descriptionHash: "22".repeat(32),
  expirySeconds: 600,
};

describe("an order", () => {
  let harness: PhoenixdHarness;
  const scene = createScene(async () => {
    harness = await createPhoenixdHarness();
    return harness;
  });

  it("over a part of a sat is refused in words", async () => {
    const error = await scene.failure(scene.node.makeInvoice({ ...order, amountMsat: 21_001 }));
    expect(error).toMatchObject({ kind: "refused", message: expect.stringContaining("whole sats") });
  });

  it("whose answer is lost is found by its reference", async () => {
    harness.fault("make", "drop-after");
    const invoice = await scene.node.makeInvoice(order);
    expect(harness.server.invoices()).toMatchObject([
      { paymentHash: invoice.paymentHash, externalId: order.reference },
    ]);
  });

  it("whose preimage is not told at once is found by its reference", async () => {
    harness.fault("look-up", "drop-before");
    const { paymentHash } = await scene.node.makeInvoice(order);
    expect(harness.server.invoices().map((record) => record.paymentHash)).toEqual([paymentHash]);
  });

  it("makes one invoice when it is asked for twice at once", async () => {
    const [first, second] = await Promise.all([scene.node.makeInvoice(order), scene.node.makeInvoice(order)]);
    expect(second).toEqual(first);
    expect(harness.invoiceCount()).toBe(1);
  });

  it("has the first of two invoices that crossing tries have made", async () => {
    const { paymentHash } = await scene.node.makeInvoice(order);
    harness.pass(1);
    const body = new URLSearchParams({
      amountSat: "21",
      descriptionHash: order.descriptionHash,
      externalId: order.reference,
    });
    const authorization = `Basic ${Buffer.from(`:${harness.secret}`).toString("base64")}`;
    await fetch(`${harness.server.url}/createinvoice`, { method: "POST", body, headers: { authorization } });
    expect(harness.invoiceCount()).toBe(2);
    expect((await scene.node.makeInvoice(order)).paymentHash).toBe(paymentHash);
  });

  it("that was paid says what arrived and what phoenixd kept of it", async () => {
    const { paymentHash } = await scene.node.makeInvoice(order);
    harness.server.pay(paymentHash, undefined, 4_321);
    expect(await scene.node.lookUp(paymentHash)).toEqual({
      kind: "paid",
      // phoenixd tells whole sats.
      payment: { paymentHash, reference: order.reference, receivedMsat: 16_000, feeMsat: 4_321 },
    });
  });
});

describe("the base URL", () => {
  let server: PhoenixdServer | undefined;
  afterEach(() => server?.close());

  it.each([
    ["a slash at its end", "", "/"],
    ["a path", "/wallet/phoenixd", ""],
    ["a path and slashes", "/phoenixd", "//"],
  ])("may have %s", async (_what, basePath, end) => {
    server = await startPhoenixdServer({ password: "secret", basePath });
    const node = createPhoenixd({ baseUrl: server.url + end, password: "secret" });
    expect(await node.probe()).toBeUndefined();
    const { paymentHash } = await node.makeInvoice(order);
    expect(await node.lookUp(paymentHash)).toEqual({ kind: "open" });

    const told: string[] = [];
    const stop = new AbortController();
    const over = node.follow(undefined, (payment) => told.push(payment.paymentHash), stop.signal);
    await eventually(() => server?.streamCount() === 1);
    server.pay(paymentHash);
    await eventually(() => told.includes(paymentHash));
    stop.abort();
    await over;
  });

  it("may have credentials: they are not used and not told", async () => {
    server = await startPhoenixdServer({ password: "secret" });
    const baseUrl = server.url.replace("//", "//somebody:something@");
    expect(await createPhoenixd({ baseUrl, password: "secret" }).probe()).toBeUndefined();
    const words = await createPhoenixd({ baseUrl, password: "something" }).probe();
    expect(words).toMatch(/refuses the password/);
    expect(words).not.toMatch(/somebod|something/);
  });
});

describe("somebody else who answers", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function serve(listener: RequestListener): Promise<string> {
    const started = createServer(listener);
    server = started;
    await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
  }

  const nodeAt = (baseUrl: string) => createPhoenixd({ baseUrl, password: "secret", timeoutMs: 5_000 });

  it("is not followed to where he points, and the password stays here", async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.writeHead(307, { location: `${url}/elsewhere` }).end();
    });
    await expect(nodeAt(url).lookUp(HASH)).rejects.toMatchObject({ name: "NodeError", kind: "silent" });
    expect(await nodeAt(url).probe()).toMatch(/not phoenixd \(HTTP 307\).*lightning\.base_url/);
    expect(asked).toEqual([`/payments/incoming/${HASH}`, "/getinfo"]);
  });

  it("is not listened to for ever", async () => {
    let closed = false;
    const url = await serve((_request, response) => {
      response.on("close", () => {
        closed = true;
      });
      const goOn = () => {
        while (response.writable && response.write("x".repeat(64 * 1024)));
      };
      response.on("drain", goOn);
      goOn();
    });
    await expect(nodeAt(url).lookUp(HASH)).rejects.toThrow("over 1 MiB");
    await eventually(() => closed);
  });

  it.each([
    ["404 of another server", 404, "<html>404 Not Found</html>", "silent"],
    ["404 of a path that phoenixd does not have", 404, "Unknown endpoint (check api doc)", "silent"],
    ["200 without JSON", 200, "OK", "silent"],
    ["200 with other JSON", 200, "{}", "silent"],
    ["400", 400, "a word is wrong", "refused"],
    ["403", 403, "", "silent"],
    ["502", 502, "<html>", "silent"],
  ])("with %s gives no state of an invoice", async (_what, status, body, kind) => {
    const url = await serve((_request, response) => response.writeHead(status).end(body));
    await expect(nodeAt(url).lookUp(HASH)).rejects.toMatchObject({ name: "NodeError", kind });
  });

  it("with 204 says missing, as older versions do", async () => {
    const url = await serve((_request, response) => response.writeHead(204).end());
    expect(await nodeAt(url).lookUp(HASH)).toEqual({ kind: "missing" });
  });

  it("is not believed a preimage that does not fit, nor quoted", async () => {
    const wrong = "33".repeat(32);
    const found = {
      paymentHash: HASH,
      preimage: wrong,
      invoice: "lnbc1wrong",
      isPaid: false,
      isExpired: false,
      receivedSat: 0,
      fees: 0,
    };
    const url = await serve((_request, response) => response.end(JSON.stringify([found])));
    const failure = await nodeAt(url)
      .makeInvoice(order)
      .catch((error) => error);
    expect(failure).toBeInstanceOf(NodeError);
    expect(String(failure)).not.toContain(wrong);
  });

  it.each([
    ["a 404", 404, "", /not phoenixd \(HTTP 404\).*lightning\.base_url/],
    ["a web page", 200, "<html>", /not phoenixd \(HTTP 200\).*lightning\.base_url/],
    ["other JSON", 200, '{"version":"1"}', /not phoenixd \(HTTP 200\).*lightning\.base_url/],
    ["401", 401, "secret", /refuses the password: lightning\.api_token must be http-password/],
    ["502", 502, "", /HTTP 502.*proxy/],
  ])("with %s is told by probe", async (_what, status, body, words) => {
    const url = await serve((_request, response) => response.writeHead(status).end(body));
    expect(await nodeAt(url).probe()).toMatch(words);
    expect(await nodeAt(url).probe()).not.toContain("secret");
  });

  it("and nobody at all, or none over TLS, are told by probe", async () => {
    const mend = /: is it running, and is lightning\.base_url right\?$/;
    const nobody = await nodeAt(`http://127.0.0.1:${await freePort()}`).probe();
    expect(nobody).toMatch(/not reached \(ECONNREFUSED\)/);
    expect(nobody).toMatch(mend);
    const unnamed = await nodeAt("http://phoenixd.invalid").probe();
    expect(unnamed).toMatch(/not reached|no answer/);
    expect(unnamed).toMatch(mend);
    const url = await serve((_request, response) => response.end());
    expect(await nodeAt(url.replace("http:", "https:")).probe()).toMatch(/not reached over TLS/);
  });
});
