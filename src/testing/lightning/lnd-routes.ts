import * as z from "zod";
import {
  INVALID_ARGUMENT,
  LndError,
  type LndInvoice,
  type LndLedger,
  NOT_FOUND,
  UNKNOWN,
} from "./lnd-ledger.ts";
import type { NodeCall } from "./node-harness.ts";

/** As `GET /v1/state` has it. */
export type LndState = "NON_EXISTING" | "LOCKED" | "UNLOCKED" | "SERVER_ACTIVE";

export type LndPermission = "invoices:read" | "invoices:write";

export interface LndRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  body: string;
}

export interface LndAnswer {
  status: number;
  body: unknown;
}

export interface LndRoute {
  call: NodeCall;
  /** Undefined: no macaroon is asked for. */
  permission: LndPermission | undefined;
  /** Undefined: the server's own matter, a stream or its state. */
  answer: ((ledger: LndLedger, request: LndRequest) => unknown) | undefined;
}

/** What of LND's REST interface a seller uses. */
export function routeOf({ method, path }: LndRequest): LndRoute | undefined {
  switch (`${method} ${path.replace(/[^/]{64}$/, "<hash>")}`) {
    case "GET /v1/state":
      return { call: "probe", permission: undefined, answer: undefined };
    case "GET /v1/invoices":
      return { call: "probe", permission: "invoices:read", answer: listInvoices };
    case "POST /v1/invoices":
      return { call: "make", permission: "invoices:write", answer: addInvoice };
    case "GET /v1/invoice/<hash>":
      return { call: "look-up", permission: "invoices:read", answer: lookUpInvoice };
    case "POST /v2/invoices/cancel":
      return { call: "cancel", permission: "invoices:write", answer: cancelInvoice };
    case "GET /v1/invoices/subscribe":
      return { call: "follow", permission: "invoices:read", answer: undefined };
    default:
      return undefined;
  }
}

const STATE_ERRORS: Record<LndState, string | undefined> = {
  NON_EXISTING: "wallet not created, create one to enable full RPC access",
  LOCKED: "wallet locked, unlock it to enable full RPC access",
  UNLOCKED: "the RPC server is in the process of starting up, but not yet ready to accept calls",
  SERVER_ACTIVE: undefined,
};

/** Throws unless LND is awake and the macaroon, in hex, permits the call. In LND's order, and in its words. */
export function checkAccess(
  state: LndState,
  permission: LndPermission,
  macaroonHex: string | undefined,
  macaroons: ReadonlyMap<string, readonly LndPermission[]>,
): void {
  const stateError = STATE_ERRORS[state];
  if (stateError !== undefined) throw new LndError(UNKNOWN, stateError);
  if (macaroonHex === undefined) throw new LndError(UNKNOWN, "expected 1 macaroon, got 0");
  if (macaroonHex === "") throw new LndError(UNKNOWN, "empty macaroon data");
  const noHex = /[^0-9a-f]/i.exec(macaroonHex)?.[0];
  if (noHex !== undefined) {
    const codePoint = noHex.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    throw new LndError(UNKNOWN, `encoding/hex: invalid byte: U+${codePoint} '${noHex}'`);
  }
  // The first byte of a macaroon is its format's version.
  if (!macaroonHex.startsWith("02")) {
    throw new LndError(UNKNOWN, "cannot determine data format of binary-encoded macaroon");
  }
  const permissions = macaroons.get(macaroonHex.toLowerCase());
  if (!permissions) {
    throw new LndError(UNKNOWN, "verification failed: signature mismatch after caveat verification");
  }
  if (!permissions.includes(permission)) throw new LndError(UNKNOWN, "permission denied");
}

const HTTP_STATUS: Record<number, number> = { [INVALID_ARGUMENT]: 400, [NOT_FOUND]: 404 };

export function errorAnswer({ code, message }: LndError, isStream: boolean): LndAnswer {
  const error = { code, message, details: [] };
  return { status: HTTP_STATUS[code] ?? 500, body: isStream ? { error } : error };
}

const int64 = z.union([z.string().regex(/^-?\d+$/), z.number().int()]).transform(Number);
const hash = z.base64().transform((text) => Buffer.from(text, "base64").toString("hex"));

const addSchema = z.strictObject({
  memo: z.string().default(""),
  r_preimage: hash,
  value_msat: int64.default(0),
  description_hash: hash,
  expiry: int64.default(0),
  private: z.boolean().default(false),
});

function addInvoice(ledger: LndLedger, { body }: LndRequest) {
  const asked = readBody(body, addSchema);
  const { paymentHash, bolt11, addIndex } = ledger.add({
    memo: asked.memo,
    preimage: asked.r_preimage,
    valueMsat: asked.value_msat,
    descriptionHash: asked.description_hash,
    expirySeconds: asked.expiry,
    isPrivate: asked.private,
  });
  return {
    r_hash: base64(paymentHash),
    payment_request: bolt11,
    add_index: String(addIndex),
    payment_addr: base64("00".repeat(32)),
  };
}

function lookUpInvoice(ledger: LndLedger, { path }: LndRequest) {
  const paymentHash = path.split("/").at(-1) ?? "";
  if (!/^[0-9a-f]{64}$/i.test(paymentHash)) throw new LndError(UNKNOWN, "encoding/hex: invalid byte");
  return invoiceJson(ledger.find(paymentHash.toLowerCase()));
}

function listInvoices(ledger: LndLedger, { query }: LndRequest) {
  const most = Number(query.get("num_max_invoices") ?? 100);
  return {
    invoices: ledger.all().slice(0, most).map(invoiceJson),
    last_index_offset: "0",
    first_index_offset: "0",
  };
}

const cancelSchema = z.strictObject({ payment_hash: hash });

function cancelInvoice(ledger: LndLedger, { body }: LndRequest) {
  ledger.cancel(readBody(body, cancelSchema).payment_hash);
  return {};
}

function readBody<T>(body: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(body));
  } catch {
    // LND repeats the value that it cannot read.
    throw new LndError(INVALID_ARGUMENT, `proto: syntax error (line 1:1): unexpected token ${body}`);
  }
}

/** As LND writes it: bytes in base64, 64-bit numbers as strings, and two names for the sum in msat. */
export function invoiceJson(invoice: LndInvoice) {
  return {
    memo: invoice.memo,
    r_preimage: base64(invoice.preimage),
    r_hash: base64(invoice.paymentHash),
    value: String(Math.floor(invoice.valueMsat / 1000)),
    value_msat: String(invoice.valueMsat),
    settled: invoice.state === "SETTLED",
    creation_date: String(invoice.createdAt),
    settle_date: String(invoice.settledAt),
    payment_request: invoice.bolt11,
    description_hash: base64(invoice.descriptionHash),
    expiry: String(invoice.expirySeconds),
    fallback_addr: "",
    cltv_expiry: "80",
    route_hints: [],
    private: invoice.isPrivate,
    add_index: String(invoice.addIndex),
    settle_index: String(invoice.settleIndex),
    amt_paid: String(invoice.paidMsat),
    amt_paid_sat: String(Math.floor(invoice.paidMsat / 1000)),
    amt_paid_msat: String(invoice.paidMsat),
    state: invoice.state,
    htlcs: [],
    is_keysend: false,
    is_amp: false,
  };
}

function base64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
