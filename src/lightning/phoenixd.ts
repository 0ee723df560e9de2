import { createHash } from "node:crypto";
import * as z from "zod";
import {
  type Invoice,
  type InvoiceOrder,
  type InvoiceState,
  type LightningNode,
  NodeError,
} from "../sales/lightning/ports.ts";
import { createFollowing } from "./phoenixd-follow.ts";
import {
  apiRoot,
  basicAuth,
  createPhoenixdHttp,
  isUnknownPayment,
  jsonOrUndefined,
  notUnderstood,
  readJson,
} from "./phoenixd-http.ts";
import {
  createdInvoice,
  type IncomingPayment,
  incomingPayment,
  nodeInfo,
  toPayment,
} from "./phoenixd-messages.ts";

const MSAT_PER_SAT = 1000;
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_SILENCE_MS = 35_000;

export interface PhoenixdSettings {
  /** `lightning.base_url`; may have a path. */
  baseUrl: string;
  /** `lightning.api_token`: phoenixd's `http-password`, or `http-password-limited-access`, which is enough. */
  password: string;
  /** For each request. Default 10 s. */
  timeoutMs?: number;
  /** Without a ping for so long the WebSocket is dead; phoenixd pings every 10 s. Default 35 s. */
  silenceMs?: number;
}

/** A phoenixd 0.8 over its HTTP API and WebSocket. The preimages are phoenixd's own; an order is known by `externalId`. */
export function createPhoenixd(settings: PhoenixdSettings): LightningNode {
  const { baseUrl, password, timeoutMs = DEFAULT_TIMEOUT_MS, silenceMs = DEFAULT_SILENCE_MS } = settings;
  const http = createPhoenixdHttp({ baseUrl, password, timeoutMs });
  const streamSettings = {
    url: `${apiRoot(baseUrl).replace(/^http/, "ws")}/websocket`,
    authorization: basicAuth(password),
    handshakeTimeoutMs: timeoutMs,
    silenceMs,
  };
  const underWay = new Map<string, Promise<Invoice>>();

  /** An order may have been sent before, by an earlier process too, so phoenixd is asked first. */
  async function make(order: InvoiceOrder): Promise<Invoice> {
    if (order.amountMsat % MSAT_PER_SAT !== 0) {
      throw new NodeError("refused", "phoenixd makes invoices over whole sats only");
    }
    const former = await findInvoice(order.reference);
    if (former) return former;
    try {
      return await create(order);
    } catch (error) {
      if (error instanceof NodeError && error.kind === "refused") throw error;
      // The answer may be lost and the invoice made.
      const made = await findInvoice(order.reference).catch(() => undefined);
      if (made) return made;
      throw error;
    }
  }

  async function create(order: InvoiceOrder): Promise<Invoice> {
    const answer = await http.post("/createinvoice", {
      amountSat: String(order.amountMsat / MSAT_PER_SAT),
      descriptionHash: order.descriptionHash,
      expirySeconds: String(order.expirySeconds),
      externalId: order.reference,
    });
    const { paymentHash } = readJson(answer, createdInvoice);
    const payment = await findPayment(paymentHash);
    if (!payment) throw notUnderstood();
    return toInvoice(payment);
  }

  /** The first of them: two tries that crossed make two invoices. Their payments name the same reference. */
  async function findInvoice(reference: string): Promise<Invoice | undefined> {
    const query = { externalId: reference, all: "true" };
    const newestFirst = readJson(await http.get("/payments/incoming", query), z.array(incomingPayment));
    const first = newestFirst.at(-1);
    return first && toInvoice(first);
  }

  async function findPayment(paymentHash: string): Promise<IncomingPayment | undefined> {
    const answer = await http.get(`/payments/incoming/${encodeURIComponent(paymentHash)}`);
    return isUnknownPayment(answer) ? undefined : readJson(answer, incomingPayment);
  }

  return {
    kind: "phoenixd",
    stepMsat: MSAT_PER_SAT,

    makeInvoice(order) {
      const running =
        underWay.get(order.reference) ?? make(order).finally(() => underWay.delete(order.reference));
      underWay.set(order.reference, running);
      return running;
    },

    async lookUp(paymentHash): Promise<InvoiceState> {
      const payment = await findPayment(paymentHash);
      if (!payment) return { kind: "missing" };
      if (payment.isPaid) return { kind: "paid", payment: toPayment(payment) };
      return { kind: payment.isExpired ? "closed" : "open" };
    },

    /** phoenixd cannot take an invoice back. */
    cancel: () => Promise.resolve(false),

    follow: createFollowing(http, streamSettings),

    async probe() {
      try {
        const { status, text } = await http.get("/getinfo");
        if (status === 200 && nodeInfo.safeParse(jsonOrUndefined(text)).success) return undefined;
        return troubleWith(status);
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
        return `${error.message}: is it running, and is lightning.base_url right?`;
      }
    },
  };
}

/** The buyer's configuration is sealed with the preimage, so it must be the one that the payment reveals. */
function toInvoice({ paymentHash, preimage, invoice }: IncomingPayment): Invoice {
  const hash = createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex");
  if (!invoice || hash !== paymentHash) throw notUnderstood();
  return { paymentHash, preimage, bolt11: invoice };
}

function troubleWith(status: number): string {
  if (status === 401) {
    return "phoenixd refuses the password: lightning.api_token must be http-password or http-password-limited-access of its phoenix.conf";
  }
  if (status >= 500)
    return `phoenixd answers HTTP ${status}: its log, or that of the proxy before it, says why`;
  return `what answers is not phoenixd (HTTP ${status}): is lightning.base_url right?`;
}
