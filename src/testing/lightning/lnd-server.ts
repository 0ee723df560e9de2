import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { freePort } from "../free-port.ts";
import { makeSelfSigned } from "./lnd-certificate.ts";
import { createLndLedger, LndError, type LndInvoice, NOT_FOUND, UNKNOWN } from "./lnd-ledger.ts";
import { type LndListener, listenAsLnd } from "./lnd-listener.ts";
import {
  checkAccess,
  errorAnswer,
  invoiceJson,
  type LndAnswer,
  type LndPermission,
  type LndRequest,
  type LndRoute,
  type LndState,
  routeOf,
} from "./lnd-routes.ts";
import type { NodeCall, NodeFault } from "./node-harness.ts";

export interface LndServerOptions {
  /** Left out: a free one, kept for every later `start()`. */
  port?: number;
  /** Permits what invoice.macaroon does. */
  macaroonHex?: string;
  /** Unix seconds. */
  now?: () => number;
  /** Asked about every request that no `fault()` waits for. */
  faultOf?: (call: NodeCall) => NodeFault | undefined;
}

export interface LndServer {
  /** `https://127.0.0.1:port`, the same through every stop and start. */
  readonly url: string;
  readonly port: number;
  /** PEM. */
  readonly certificate: string;
  readonly macaroonHex: string;
  /** Permits reading alone. */
  readonly readOnlyMacaroonHex: string;
  state: LndState;
  invoices(): LndInvoice[];
  /** Throws when LND would refuse the payment. */
  pay(paymentHash: string, amountMsat?: number): void;
  /** An invoice of the operator's own. Answers its hash. */
  addForeign(memo: string, valueMsat: number): string;
  /** The next `times` (1) requests of this kind meet the fault. */
  fault(call: NodeCall, fault: NodeFault, times?: number): void;
  /** How many requests of this kind came. */
  requestCount(call: NodeCall): number;
  /** How many streams are open. */
  streamCount(): number;
  /** The line that a stream gets for this invoice, with its end. */
  eventLine(paymentHash: string): string;
  /** To every open stream, as one chunk. */
  sendToStreams(chunk: string | Uint8Array): void;
  breakStreams(how: "end" | "reset"): void;
  /** Listens again on the same port with the same records. */
  start(): Promise<void>;
  /** Drops all connections; the records stay. */
  close(): Promise<void>;
}

interface Stream {
  request: IncomingMessage;
  response: ServerResponse;
  /** Settlements up to here are known to the follower. */
  settleIndex: number;
}

/** LND's REST interface over HTTPS, as far as a seller uses it, with its records in memory. */
export async function startLndServer(options: LndServerOptions = {}): Promise<LndServer> {
  const now = options.now ?? (() => Math.floor(Date.now() / 1000));
  const port = options.port ?? (await freePort());
  const selfSigned = await makeSelfSigned();
  const macaroonHex = options.macaroonHex ?? randomMacaroon();
  const readOnlyMacaroonHex = randomMacaroon();
  const macaroons = new Map<string, readonly LndPermission[]>([
    [macaroonHex.toLowerCase(), ["invoices:read", "invoices:write"]],
    [readOnlyMacaroonHex, ["invoices:read"]],
  ]);
  const streams = new Set<Stream>();
  const ledger = createLndLedger(now, tellStreams);
  const faults: { call: NodeCall; fault: NodeFault }[] = [];
  const counts = new Map<NodeCall, number>();
  /** Hashes whose making met a fault: the look-up that tries to mend it belongs to the making. */
  const faultyMakings = new Set<string>();
  let listener: LndListener | undefined;

  /** Like LND, tells nobody of what his settle index says he knows. */
  function tellStreams(invoice: LndInvoice): void {
    for (const stream of streams) {
      if (invoice.state === "SETTLED" && stream.settleIndex >= invoice.settleIndex) continue;
      stream.settleIndex = Math.max(stream.settleIndex, invoice.settleIndex);
      stream.response.write(eventLine(invoice));
    }
  }

  /** Nothing is written, not even the head, before there is an event. An index of 0 replays nothing. */
  function subscribe(request: IncomingMessage, response: ServerResponse, settleIndex: number): void {
    const stream = { request, response, settleIndex };
    streams.add(stream);
    response.on("close", () => streams.delete(stream));
    for (const invoice of settleIndex > 0 ? ledger.settledAfter(settleIndex) : []) {
      response.write(eventLine(invoice));
      stream.settleIndex = invoice.settleIndex;
    }
  }

  function takeFault(call: NodeCall, route: LndRoute): NodeFault | undefined {
    const index = faults.findIndex(
      (waiting) =>
        waiting.call === call && (waiting.fault !== "unauthorised" || route.permission !== undefined),
    );
    return index < 0 ? options.faultOf?.(call) : faults.splice(index, 1)[0]?.fault;
  }

  function callOf(route: LndRoute, { path }: LndRequest): NodeCall {
    const paymentHash = path.split("/").at(-1) ?? "";
    return route.call === "look-up" && faultyMakings.delete(paymentHash) ? "make" : route.call;
  }

  function answerTo(route: LndRoute, request: LndRequest): LndAnswer {
    const body = route.answer === undefined ? { state: server.state } : route.answer(ledger, request);
    return { status: 200, body };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readRequest(request);
    const route = routeOf(asked);
    if (!route) return send(response, errorAnswer(new LndError(NOT_FOUND, "Not Found"), false));
    const isStream = route.call === "follow";
    const call = callOf(route, asked);
    counts.set(call, (counts.get(call) ?? 0) + 1);
    const fault = takeFault(call, route);
    if (fault !== undefined && route.call === "make") faultyMakings.add(hashOfMaking(asked.body));
    try {
      if (fault === "stall") return;
      if (fault === "drop-before") return void listener?.reset(request);
      if (fault === "error-500") throw new LndError(UNKNOWN, "database is locked");
      if (fault === "garbage") return send(response, { status: 200, body: { unexpected: [1, 2, 3] } });
      if (route.permission) {
        const shown = fault === "unauthorised" ? randomMacaroon() : macaroonOf(request);
        checkAccess(server.state, route.permission, shown, macaroons);
      }
      if (isStream) subscribe(request, response, Number(asked.query.get("settle_index") ?? 0));
      const answer = isStream ? undefined : answerTo(route, asked);
      if (fault === "drop-after") return void listener?.reset(request);
      if (answer) send(response, answer);
    } catch (error) {
      if (!(error instanceof LndError)) throw error;
      send(response, errorAnswer(error, isStream));
    }
  }

  const server: LndServer = {
    url: `https://127.0.0.1:${port}`,
    port,
    certificate: selfSigned.certificate,
    macaroonHex,
    readOnlyMacaroonHex,
    state: "SERVER_ACTIVE",
    invoices: () => ledger.all(),
    pay: (paymentHash, amountMsat) => ledger.pay(paymentHash, amountMsat),
    addForeign: (memo, valueMsat) =>
      ledger.add({
        memo,
        preimage: randomBytes(32).toString("hex"),
        valueMsat,
        descriptionHash: "00".repeat(32),
        expirySeconds: 3600,
        isPrivate: false,
      }).paymentHash,
    fault(call, fault, times = 1) {
      for (let time = 0; time < times; time++) faults.push({ call, fault });
    },
    requestCount: (call) => counts.get(call) ?? 0,
    streamCount: () => streams.size,
    eventLine: (paymentHash) => eventLine(ledger.find(paymentHash)),
    sendToStreams(chunk) {
      for (const { response } of streams) response.write(chunk);
    },
    breakStreams(how) {
      for (const { request, response } of streams) {
        if (how === "end") response.end();
        else listener?.reset(request);
      }
      streams.clear();
    },
    async start() {
      listener ??= await listenAsLnd(port, selfSigned, (request, response) => {
        serve(request, response).catch(() => request.socket.destroy());
      });
    },
    async close() {
      const closing = listener;
      listener = undefined;
      streams.clear();
      await closing?.close();
    },
  };

  await server.start();
  return server;
}

/** Only its format's version and its length are a macaroon's. */
function randomMacaroon(): string {
  return `0201${randomBytes(64).toString("hex")}`;
}

async function readRequest(request: IncomingMessage): Promise<LndRequest> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "https://lnd");
  return { method: request.method ?? "", path: pathname, query: searchParams, body: await text(request) };
}

function macaroonOf(request: IncomingMessage): string | undefined {
  const header = request.headers["grpc-metadata-macaroon"];
  return Array.isArray(header) ? header[0] : header;
}

function hashOfMaking(body: string): string {
  const { r_preimage } = JSON.parse(body) as { r_preimage: string };
  return createHash("sha256").update(Buffer.from(r_preimage, "base64")).digest("hex");
}

function eventLine(invoice: LndInvoice): string {
  return `${JSON.stringify({ result: invoiceJson(invoice) })}\n`;
}

function send(response: ServerResponse, { status, body }: LndAnswer): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}
