import { isExpired, type PhoenixdLedger, type PhoenixdRecord } from "./phoenixd-ledger.ts";

/** What is asked of phoenixd. `find`: the list by `externalId`. */
export type PhoenixdRoute = "create" | "look-up" | "find" | "list" | "info" | "websocket";

export interface PhoenixdAnswer {
  status: number;
  type: "application/json" | "text/plain";
  body: string;
}

export interface RouteRequest {
  method: string;
  /** Below the base path. */
  path: string;
  query: URLSearchParams;
  body: string;
}

export interface PhoenixdState {
  ledger: PhoenixdLedger;
  nodeId: string;
  inboundSat: number;
  now: () => number;
}

/** As `GET /getinfo` lists it. */
function channel(inboundSat: number) {
  return {
    state: "Normal",
    channelId: "11".repeat(32),
    balanceSat: 0,
    inboundLiquiditySat: inboundSat,
    capacitySat: inboundSat,
  };
}

/** Undefined for a path that phoenixd does not have, or that is not needed here. */
export function routeOf({ path, query }: Pick<RouteRequest, "path" | "query">): PhoenixdRoute | undefined {
  if (path === "/createinvoice") return "create";
  if (path === "/payments/incoming") return query.get("externalId") ? "find" : "list";
  if (/^\/payments\/incoming\/[^/]+$/.test(path)) return "look-up";
  if (path === "/getinfo") return "info";
  if (path === "/websocket") return "websocket";
  return undefined;
}

export function answerRoute(
  { ledger, nodeId, inboundSat, now }: PhoenixdState,
  route: Exclude<PhoenixdRoute, "websocket">,
  { method, path, query, body }: RouteRequest,
): PhoenixdAnswer {
  if (method !== (route === "create" ? "POST" : "GET")) return plain(405, "Not the method of this path");
  switch (route) {
    case "info":
      return json({
        nodeId,
        channels: [channel(inboundSat)],
        chain: "regtest",
        blockHeight: 800_000,
        version: "0.8.1",
      });
    case "create":
      return create(ledger, new URLSearchParams(body));
    case "look-up": {
      const paymentHash = path.split("/").at(-1) ?? "";
      if (!isHex32(paymentHash)) return plain(400, "paymentHash is not 32 bytes in hex");
      const record = ledger.get(paymentHash);
      if (!record || record.kind === "on-chain") return plain(404, "Not found");
      return json(recordJson(record, now()));
    }
    case "find":
    case "list": {
      const records = ledger.list({
        from: Number(query.get("from") ?? 0),
        to: Number(query.get("to") ?? now()),
        limit: Number(query.get("limit") ?? 20),
        offset: Number(query.get("offset") ?? 0),
        all: query.get("all") === "true",
        externalId: query.get("externalId") || undefined,
      });
      return json(records.map((record) => recordJson(record, now())));
    }
  }
}

function create(ledger: PhoenixdLedger, form: URLSearchParams): PhoenixdAnswer {
  const amountSat = Number(form.get("amountSat"));
  if (!Number.isSafeInteger(amountSat) || amountSat < 1) return plain(400, "amountSat is no whole number");
  const descriptionHash = form.get("descriptionHash");
  // phoenixd also takes a description in clear; nothing here asks for one.
  if (descriptionHash === null || form.has("description") || !isHex32(descriptionHash)) {
    return plain(400, "Give a descriptionHash of 32 bytes in hex and no description");
  }
  const expirySeconds = Number(form.get("expirySeconds") ?? 3600);
  const externalId = form.get("externalId") ?? undefined;
  const { paymentHash, bolt11 } = ledger.createInvoice({
    amountSat,
    descriptionHash,
    expirySeconds,
    externalId,
  });
  return json({ amountSat, paymentHash, serialized: bolt11 });
}

/** JSON.stringify leaves out what is undefined, as phoenixd does what is null. */
function recordJson(record: PhoenixdRecord, nowMs: number): object {
  return {
    type: "incoming_payment",
    subType: "lightning",
    paymentHash: record.paymentHash,
    preimage: record.preimage,
    externalId: record.externalId,
    invoice: record.bolt11,
    isPaid: record.completedAt !== undefined,
    isExpired: isExpired(record, nowMs),
    requestedSat: record.requestedSat,
    receivedSat: Math.floor(record.receivedMsat / 1000),
    fees: record.feeMsat,
    expiresAt: record.expiresAt,
    completedAt: record.completedAt,
    createdAt: record.createdAt,
  };
}

export function eventJson({ paymentHash, externalId, receivedMsat }: PhoenixdRecord, nowMs: number): string {
  const amountSat = Math.floor(receivedMsat / 1000);
  return JSON.stringify(
    { type: "payment_received", timestamp: nowMs, amountSat, paymentHash, externalId },
    null,
    4,
  );
}

export function plain(status: number, body: string): PhoenixdAnswer {
  return { status, type: "text/plain", body };
}

function json(value: unknown): PhoenixdAnswer {
  return { status: 200, type: "application/json", body: JSON.stringify(value, null, 4) };
}

function isHex32(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text);
}
