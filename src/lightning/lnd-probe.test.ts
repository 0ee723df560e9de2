import { once } from "node:events";
import { createServer } from "node:net";
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { NodeError } from "../sales/lightning/ports.ts";
import { freePort } from "../testing/free-port.ts";
import { makeSelfSigned } from "../testing/lightning/lnd-certificate.ts";
import { listenAsLnd } from "../testing/lightning/lnd-listener.ts";
import type { LndState } from "../testing/lightning/lnd-routes.ts";
import { type LndServer, startLndServer } from "../testing/lightning/lnd-server.ts";
import { startScriptedLnd } from "../testing/lightning/scripted-lnd.ts";
import { createLnd, type LndSettings } from "./lnd.ts";

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close();
});

const macaroonHex = `0201${"ab".repeat(40)}`;
const order = {
  reference: "r",
  preimage: "12".repeat(32),
  amountMsat: 1000,
  descriptionHash: "34".repeat(32),
  expirySeconds: 600,
};

async function startServer(): Promise<LndServer> {
  const server = await startLndServer();
  closing.push(server);
  return server;
}

/** What the probe says; `makeInvoice` must fail with the very same words, and neither tells a secret. */
async function troubleWith(settings: LndSettings, kind: NodeError["kind"]): Promise<string> {
  const node = createLnd(settings);
  const words = await node.probe();
  const error: unknown = await node.makeInvoice(order).catch((reason: unknown) => reason);
  if (!(error instanceof NodeError) || words === undefined) throw new Error("there is no trouble");
  expect(error).toMatchObject({ message: words, kind });
  const told = inspect({ words, error }, { depth: 10 });
  if (settings.macaroonHex !== "") expect(told).not.toContain(settings.macaroonHex);
  expect(told).not.toContain(order.preimage);
  expect(told).not.toMatch(/127\.0\.0\.1/);
  return words;
}

describe("LND's probe", () => {
  it("has nothing to say of an LND that can sell", async () => {
    const server = await startServer();
    const node = createLnd({ ...server, baseUrl: server.url });
    expect(await node.probe()).toBeUndefined();
    await node.makeInvoice(order);
    expect(await node.probe()).toBeUndefined();
    // LND logs as an error that the invoice is unknown, so this is tried once.
    expect(server.requestCount("cancel")).toBe(1);
    expect(server.invoices()).toMatchObject([{ state: "OPEN" }]);
  });

  it.each<[LndState, RegExp]>([
    ["NON_EXISTING", /has no wallet yet.*lncli create/],
    ["LOCKED", /wallet is locked.*lncli unlock/],
    ["UNLOCKED", /is starting/],
  ])("tells a wallet that is %s, whatever the macaroon", async (state, words) => {
    const server = await startServer();
    server.state = state;
    expect(await troubleWith({ ...server, baseUrl: server.url }, "refused")).toMatch(words);
    expect(await troubleWith({ ...server, baseUrl: server.url, macaroonHex: "" }, "refused")).toMatch(words);
    server.state = "SERVER_ACTIVE";
    expect(await createLnd({ ...server, baseUrl: server.url }).probe()).toBeUndefined();
  });

  it.each([
    ["no", "", /without a macaroon.*lightning\.api_token/],
    ["a malformed", "/root/.lnd/invoice.macaroon", /cannot be read.*lightning\.api_token/],
    ["a cut", "4546", /cannot be read.*lightning\.api_token/],
    ["an unsendable", `${macaroonHex}\n02`, /cannot be read.*lightning\.api_token/],
    ["a foreign", macaroonHex, /another LND.*lightning\.api_token.*lightning\.base_url/],
  ])("tells %s macaroon", async (_, wrongHex, words) => {
    const server = await startServer();
    const settings = { ...server, baseUrl: server.url, macaroonHex: wrongHex };
    const kind = wrongHex.includes("\n") ? "silent" : "refused";
    const message = await troubleWith(settings, kind);
    expect(message).toMatch(words);
    const following = createLnd(settings).follow(undefined, () => {}, new AbortController().signal);
    await expect(following).rejects.toMatchObject({ name: "NodeError", message, kind });
    expect(server.invoices()).toEqual([]);
  });

  it("tells a macaroon that permits reading alone", async () => {
    const server = await startServer();
    const settings = { ...server, baseUrl: server.url, macaroonHex: server.readOnlyMacaroonHex };
    const words = await troubleWith(settings, "refused");
    expect(words).toMatch(/does not permit.*invoice\.macaroon.*bakemacaroon invoices:read invoices:write/);
  });
});

describe("LND's own words", () => {
  it.each([
    ["expected 1 macaroon, got 0", /without a macaroon/],
    ["encoding/hex: invalid byte: U+002F '/'", /cannot be read/],
    ["encoding/hex: odd length hex string", /cannot be read/],
    ["unmarshal v2: field data extends past end of buffer", /cannot be read/],
    ["cannot determine data format of binary-encoded macaroon", /cannot be read/],
    ["verification failed: signature mismatch after caveat verification", /another LND/],
    ["cannot get macaroon: root key with id 0 doesn't exist", /another LND/],
    ['caveat "time-before 2020-01-01T00:00:00Z" not satisfied: macaroon has expired', /has expired/],
    ["permission denied", /does not permit/],
    ["wallet locked, unlock it to enable full RPC access", /locked/],
    ["wallet not created, create one to enable full RPC access", /no wallet/],
    ["the RPC server is in the process of starting up, but not yet ready to accept calls", /is starting/],
    ["waiting to start, RPC services not available", /is starting/],
    ["no space left on device", /LND refuses: "no space left on device"/],
    [`bad macaroon? no, bad byte in ${"ef".repeat(40)}`, /macaroon/],
    [`odd: ${"ef".repeat(40)}`, /LND refuses: "odd: …"/],
  ])("'%s' mean the same to the probe, to a making and to a following", async (message, words) => {
    const error = { code: 2, message, details: [] };
    const server = await startScriptedLnd(({ path }) => {
      if (path === "/v1/state") return { json: { state: "SERVER_ACTIVE" } };
      return { status: 500, json: path.includes("subscribe") ? { error } : error };
    });
    closing.push(server);
    const settings = { baseUrl: server.url, macaroonHex };
    const told = await troubleWith(settings, "refused");
    expect(told).toMatch(words);
    expect(told).not.toContain("efef");
    const following = createLnd(settings).follow(undefined, () => {}, new AbortController().signal);
    await expect(following).rejects.toMatchObject({ message: told, kind: "refused" });
    // The state is asked for without the macaroon, and no refused making is looked up.
    expect(server.requests.map((request) => [request.path, request.macaroon])).toEqual([
      ["/v1/state", undefined],
      ["/v1/invoices?num_max_invoices=1", macaroonHex],
      ["/v1/invoices", macaroonHex],
      ["/v1/invoices/subscribe", macaroonHex],
    ]);
  });

  it.each(["RPC_ACTIVE", "WAITING_TO_START"])("%s means that it is starting", async (state) => {
    const server = await startScriptedLnd(() => ({ json: { state } }));
    closing.push(server);
    expect(await createLnd({ baseUrl: server.url, macaroonHex }).probe()).toMatch(/is starting/);
  });
});

describe("what is not LND, or not reached", () => {
  it("wants https", async () => {
    const server = await startServer();
    const settings = { ...server, baseUrl: server.url.replace("https", "http") };
    expect(await troubleWith(settings, "silent")).toMatch(/https:\/\/ in lightning\.base_url/);
  });

  it("speaks no TLS", async () => {
    const server = await startScriptedLnd(() => ({ json: {} }));
    closing.push(server);
    const settings = { baseUrl: server.url.replace("http", "https"), macaroonHex };
    expect(await troubleWith(settings, "silent")).toMatch(/lightning\.base_url says https.*no TLS/);
  });

  it("signs its certificate itself, and no lightning.cert_file is named", async () => {
    const server = await startServer();
    const settings = { ...server, baseUrl: server.url, certificate: undefined };
    expect(await troubleWith(settings, "silent")).toMatch(/copy of LND's tls\.cert in lightning\.cert_file/);
  });

  it("shows another certificate, as LND does when it has made a new one", async () => {
    const server = await startServer();
    const { certificate } = await makeSelfSigned();
    const settings = { ...server, baseUrl: server.url, certificate };
    expect(await troubleWith(settings, "silent")).toMatch(/another certificate.*lightning\.cert_file/);
  });

  it("cannot be known by a lightning.cert_file that holds none", async () => {
    const server = await startServer();
    const settings = { ...server, baseUrl: server.url, certificate: "the wrong file" };
    expect(await troubleWith(settings, "silent")).toMatch(/lightning\.cert_file holds no certificate/);
  });

  it("has a certificate for another host", async () => {
    const selfSigned = await makeSelfSigned("DNS:lnd.example");
    const port = await freePort();
    closing.push(await listenAsLnd(port, selfSigned, (_, response) => response.end("{}")));
    const { certificate } = selfSigned;
    const settings = { baseUrl: `https://127.0.0.1:${port}`, macaroonHex, certificate };
    expect(await troubleWith(settings, "silent")).toMatch(/does not name the host in lightning\.base_url/);
  });

  it("does not listen", async () => {
    const settings = { baseUrl: `https://127.0.0.1:${await freePort()}`, macaroonHex };
    expect(await troubleWith(settings, "silent")).toMatch(
      /not reached \(ECONNREFUSED\).*lightning\.base_url/,
    );
  });

  it("accepts and says nothing", async () => {
    const server = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(server);
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("it does not listen");
    const settings = { baseUrl: `https://127.0.0.1:${address.port}`, macaroonHex, timeoutMs: 300 };
    expect(await troubleWith(settings, "silent")).toMatch(/within 300 ms.*lightning\.base_url/);
    const following = createLnd(settings).follow(undefined, () => {}, new AbortController().signal);
    const message = expect.stringMatching(/within 300 ms/);
    await expect(following).rejects.toMatchObject({ kind: "silent", message });
  });

  it("speaks no HTTP", async () => {
    const server = createServer((socket) => socket.on("data", () => socket.end("220 mail.example\r\n")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(server);
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("it does not listen");
    const settings = { baseUrl: `http://127.0.0.1:${address.port}`, macaroonHex };
    expect(await troubleWith(settings, "silent")).toMatch(/not LND's REST interface \(not HTTP\)/);
  });

  it.each([
    ["answers 404", 404, "<html>", /not LND's REST interface \(HTTP 404\).*lightning\.base_url/],
    ["answers 502", 502, "<html>", /not LND's REST interface \(HTTP 502\)/],
    ["answers something else", 200, { ok: true }, /not of the form LND answers in/],
    ["has no such path", 404, { code: 5, message: "Not Found" }, /lightning\.base_url/],
  ])("%s", async (_, status, json, words) => {
    const server = await startScriptedLnd(() => ({ status, json }));
    closing.push(server);
    expect(await troubleWith({ baseUrl: server.url, macaroonHex }, "silent")).toMatch(words);
  });
});
