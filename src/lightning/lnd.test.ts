import { createHash, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { type InvoiceOrder, NodeError } from "../sales/lightning/ports.ts";
import { createLndHarness } from "../testing/lightning/lnd-harness.ts";
import { type LndServer, startLndServer } from "../testing/lightning/lnd-server.ts";
import { describeNode } from "../testing/lightning/node-contract.ts";
import {
  type ScriptedAnswer,
  type ScriptedLnd,
  type ScriptedRequest,
  startScriptedLnd,
} from "../testing/lightning/scripted-lnd.ts";
import { createLnd } from "./lnd.ts";

describeNode("LND", createLndHarness);

const closing: (LndServer | ScriptedLnd)[] = [];
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close();
});

const macaroonHex = `0201${"ab".repeat(40)}`;

async function startNode() {
  const server = await startLndServer();
  closing.push(server);
  return { server, node: createLnd({ ...server, baseUrl: server.url }) };
}

async function startScript(script: (request: ScriptedRequest) => ScriptedAnswer) {
  const server = await startScriptedLnd(script);
  closing.push(server);
  return { server, node: createLnd({ baseUrl: server.url, macaroonHex }) };
}

function newOrder(changes: Partial<InvoiceOrder> = {}): InvoiceOrder {
  return {
    reference: "r",
    preimage: randomBytes(32).toString("hex"),
    amountMsat: 21_001,
    descriptionHash: randomBytes(32).toString("hex"),
    expirySeconds: 600,
    ...changes,
  };
}

async function failureOf(call: Promise<unknown>): Promise<NodeError> {
  const thrown: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(thrown instanceof NodeError)) throw new Error("it did not fail as a node does", { cause: thrown });
  return thrown;
}

const base64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");
const hashOf = (preimage: string) => createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex");

const PROXY_ERROR = { status: 502, json: "bad gateway" };
const UNKNOWN_INVOICE = { status: 404, json: { code: 5, message: "unable to locate invoice", details: [] } };

describe("an invoice of LND", () => {
  it("is asked for in msat, with our preimage, the hash, the expiry and private hints", async () => {
    const { server, node } = await startNode();
    const order = newOrder();
    const { paymentHash } = await node.makeInvoice(order);
    expect(server.invoices()).toMatchObject([
      {
        paymentHash,
        preimage: order.preimage,
        valueMsat: 21_001,
        descriptionHash: order.descriptionHash,
        expirySeconds: 600,
        isPrivate: true,
      },
    ]);
  });

  it("that exists already is looked up", async () => {
    const { server, node } = await startNode();
    const order = newOrder();
    const invoice = await node.makeInvoice(order);
    expect(server.requestCount("look-up")).toBe(0);
    expect(await node.makeInvoice(order)).toEqual(invoice);
    expect(server.requestCount("look-up")).toBe(1);
    expect(invoice.bolt11).toBe(server.invoices()[0]?.bolt11);
  });

  it("is found at once when the answer to its making was lost", async () => {
    const { server, node } = await startNode();
    server.fault("make", "drop-after");
    const { paymentHash, bolt11 } = await node.makeInvoice(newOrder());
    expect(server.invoices()).toMatchObject([{ paymentHash, bolt11 }]);
  });

  it.each([
    ["a proxy's error", PROXY_ERROR],
    [
      "LND's REST side losing its own call",
      { status: 503, json: { code: 14, message: "transport is closing" } },
    ],
    [
      "an answer about another invoice",
      { json: { r_hash: base64("cd".repeat(32)), payment_request: "lnbc1" } },
    ],
  ])("may still come into being after %s", async (_, answer) => {
    const { node } = await startScript(({ method }) => (method === "POST" ? answer : UNKNOWN_INVOICE));
    expect((await failureOf(node.makeInvoice(newOrder()))).kind).toBe("silent");
  });

  it("is not made when LND refuses, and not looked for; what it repeats is not told", async () => {
    const order = newOrder();
    const message = `proto: (line 1:15): invalid value for bytes type: "${base64(order.preimage)}"`;
    const { server, node } = await startScript(() => ({ status: 400, json: { code: 3, message } }));
    const error = await failureOf(node.makeInvoice(order));
    expect(error.kind).toBe("refused");
    expect(error.message).toContain("proto: (line 1:15): invalid value");
    expect(inspect(error)).not.toContain(base64(order.preimage).slice(0, 12));
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["no amount, which LND takes for any", { amountMsat: 0 }],
    ["a part of an msat", { amountMsat: 0.5 }],
    ["no expiry, which LND takes for a day", { expirySeconds: 0 }],
    ["over a year", { expirySeconds: 366 * 86_400 }],
  ])("is refused in words for %s", async (_, changes) => {
    const { server, node } = await startNode();
    const error = await failureOf(node.makeInvoice(newOrder(changes)));
    expect(error).toMatchObject({ kind: "refused", message: expect.stringContaining("an invoice of LND") });
    expect(server.requestCount("make")).toBe(0);
  });

  it.each([1, 10])("is settled by %d msat more, or by several times as much", async (factor) => {
    const { server, node } = await startNode();
    const { paymentHash } = await node.makeInvoice(newOrder());
    const receivedMsat = 21_001 * factor + 1;
    server.pay(paymentHash, receivedMsat);
    expect(await node.lookUp(paymentHash)).toEqual({
      kind: "paid",
      payment: { paymentHash, reference: undefined, receivedMsat, feeMsat: 0 },
    });
  });
});

describe("a look-up at LND", () => {
  const paymentHash = hashOf("11".repeat(32));
  const known = { r_hash: base64(paymentHash), payment_request: "lnbc1", settle_index: "1" };

  it.each([
    ["of which some parts have come", { ...known, state: "ACCEPTED", amt_paid_msat: "0" }, "open"],
    ["with its sum as a string", { ...known, state: "SETTLED", amt_paid_msat: "21001" }, "paid"],
    ["with its sum as a number", { ...known, state: "SETTLED", amt_paid_msat: 21001 }, "paid"],
  ])("tells an invoice %s", async (_, json, kind) => {
    const { node } = await startScript(() => ({ json }));
    const state = await node.lookUp(paymentHash);
    expect(state.kind).toBe(kind);
    if (state.kind === "paid") expect(state.payment.receivedMsat).toBe(21_001);
  });

  it.each([
    ["another invoice", { ...known, r_hash: base64("cd".repeat(32)), state: "SETTLED", amt_paid_msat: "1" }],
    ["a settled one without a sum", { ...known, state: "SETTLED" }],
    ["a sum below nothing", { ...known, state: "SETTLED", amt_paid_msat: "-1" }],
    ["a sum beyond all numbers", { ...known, state: "SETTLED", amt_paid_msat: "9223372036854775807" }],
    ["a state that nobody knows", { ...known, state: "PAID", amt_paid_msat: "1" }],
  ])("takes no answer about %s", async (_, json) => {
    const { node } = await startScript(() => ({ json }));
    expect((await failureOf(node.lookUp(paymentHash))).kind).toBe("silent");
  });

  it.each([
    ["unable to locate invoice"],
    // Before the node's first invoice.
    ["there are no existing invoices"],
  ])("says missing when LND says: %s", async (message) => {
    const { node } = await startScript(() => ({ status: 404, json: { code: 5, message } }));
    expect(await node.lookUp(paymentHash)).toEqual({ kind: "missing" });
  });

  it.each([
    ["a proxy has nothing", "<html>"],
    ["something else is not found", { code: 5, message: "unable to find the service", details: [] }],
  ])("does not say missing when %s", async (_, json) => {
    const { node } = await startScript(() => ({ status: 404, json }));
    await failureOf(node.lookUp(paymentHash));
  });

  it("does not say missing when the path is unknown", async () => {
    const { server, node } = await startNode();
    const elsewhere = createLnd({ ...server, baseUrl: `${server.url}/elsewhere` });
    expect(await node.lookUp(paymentHash)).toEqual({ kind: "missing" });
    expect((await failureOf(elsewhere.lookUp(paymentHash))).kind).toBe("silent");
  });
});

describe("a cancellation at LND", () => {
  it("is true of what is open, closed or unknown, and false of what is settled", async () => {
    const { server, node } = await startNode();
    const { paymentHash: open } = await node.makeInvoice(newOrder());
    expect(await node.cancel(open)).toBe(true);
    expect(await node.cancel(open)).toBe(true);
    expect(() => server.pay(open)).toThrow();
    expect(await node.cancel("ab".repeat(32))).toBe(true);
    const { paymentHash: settled } = await node.makeInvoice(newOrder());
    server.pay(settled);
    expect(await node.cancel(settled)).toBe(false);
  });

  it.each([
    ["JSON that says more", { json: { settled: true } }],
    ["a proxy's error", PROXY_ERROR],
    [
      "an error of LND's that is not known",
      { status: 500, json: { code: 2, message: "database is locked" } },
    ],
  ])("is not read from %s", async (_, answer) => {
    const { node } = await startScript(() => answer);
    await failureOf(node.cancel("ab".repeat(32)));
  });
});

describe("a request to LND", () => {
  it.each(["", "/", "/lnd", "/lnd//"])(
    "goes below a base URL that ends in %j, with the macaroon",
    async (end) => {
      const { server } = await startScript(() => UNKNOWN_INVOICE);
      const node = createLnd({ baseUrl: server.url.replace("//", "//user:password@") + end, macaroonHex });
      await node.lookUp("ab".repeat(32));
      const path = `${end.replace(/\/+$/, "")}/v1/invoice/${"ab".repeat(32)}`;
      expect(server.requests).toEqual([{ method: "GET", path, macaroon: macaroonHex, body: "" }]);
    },
  );

  it("is not sent on to where a redirect points", async () => {
    const there = await startScript(() => ({ json: {} }));
    const server = await startScriptedLnd((_, response) => {
      response.writeHead(307, { location: `${there.server.url}/v2/invoices/cancel` }).end();
      return undefined;
    });
    closing.push(server);
    const node = createLnd({ baseUrl: server.url, macaroonHex });
    expect((await failureOf(node.cancel("ab".repeat(32)))).message).toContain("HTTP 307, a redirect");
    expect(there.server.requests).toEqual([]);
  });

  it("reads no more than 1 MiB", async () => {
    const { node } = await startScript(() => ({ json: " ".repeat(1024 * 1024) }));
    expect((await failureOf(node.lookUp("ab".repeat(32)))).message).toContain("an answer over 1 MiB");
  });

  it("ends when the answer stops half-way", async () => {
    const server = await startScriptedLnd((_, response) => {
      response.writeHead(200).write('{"state":');
      return undefined;
    });
    closing.push(server);
    const node = createLnd({ baseUrl: server.url, macaroonHex, timeoutMs: 500 });
    expect((await failureOf(node.lookUp("ab".repeat(32)))).message).toContain("did not answer within 500 ms");
  });
});
