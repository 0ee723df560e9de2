import { createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import { type InvoiceOrder, type LightningNode, NodeError } from "../sales/lightning/ports.ts";
import {
  isKnownInvoice,
  isRefusal,
  isSettledInvoice,
  isUnknownInvoice,
  type LndFailure,
} from "./lnd-failure.ts";
import { createLndHttp } from "./lnd-http.ts";
import { createdSchema, eventSchema, hexToBase64, invoiceSchema, paymentOf, stateOf } from "./lnd-invoice.ts";
import { createLndRequest, type LndAddress } from "./lnd-request.ts";
import { streamFromLnd } from "./lnd-stream.ts";
import { describeFailure, describeState, WALLET_STATES } from "./lnd-words.ts";

export interface LndSettings extends LndAddress {
  /** For each request, body included; for the stream, until it is connected. Default 10 s. */
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_EXPIRY_SECONDS = 365 * 24 * 3600;

const stateSchema = z.object({ state: z.enum(WALLET_STATES) });
const listSchema = z.object({ invoices: z.array(z.unknown()) });
/** Nothing else may pass for it: it means that an address can be given away. */
const cancelledSchema = z.strictObject({});

/** LND over its REST interface, v0.13 or later. `invoice.macaroon` opens all that is asked here. */
export function createLnd(settings: LndSettings): LightningNode {
  const timeoutMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const send = createLndRequest(settings);
  const ask = createLndHttp(send, timeoutMs);
  let mayCancel = false;

  const inWords = (failure: LndFailure) => describeFailure(failure, settings.certificate);
  const nodeError = (failure: LndFailure) =>
    new NodeError(isRefusal(failure) ? "refused" : "silent", inWords(failure));

  const findInvoice = (paymentHash: string) =>
    ask({ method: "GET", path: `/v1/invoice/${paymentHash}` }, invoiceSchema(paymentHash));

  const cancelInvoice = (paymentHash: string) =>
    ask(
      { method: "POST", path: "/v2/invoices/cancel", body: { payment_hash: hexToBase64(paymentHash) } },
      cancelledSchema,
    );

  /** Of what is read, a `readonly.macaroon` would do; so an invoice that cannot be is cancelled. Once: LND logs it as an error. */
  async function cancelTrouble(): Promise<string | undefined> {
    if (mayCancel) return undefined;
    const answer = await cancelInvoice(randomBytes(32).toString("hex"));
    mayCancel = answer.kind === "ok" || isUnknownInvoice(answer);
    return answer.kind === "ok" || mayCancel ? undefined : inWords(answer);
  }

  return {
    kind: "lnd",
    stepMsat: 1,

    async makeInvoice(order) {
      checkOrder(order);
      const { preimage } = order;
      const paymentHash = createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex");
      const made = await ask(
        { method: "POST", path: "/v1/invoices", body: toLndOrder(order) },
        createdSchema(paymentHash),
      );
      if (made.kind === "ok") return { paymentHash, preimage, bolt11: made.value.payment_request };
      if (isRefusal(made) && !isKnownInvoice(made)) throw nodeError(made);
      // Made before, or made just now and its answer lost: the preimage is ours, so the hash finds it.
      const found = await findInvoice(paymentHash);
      if (found.kind === "ok") return { paymentHash, preimage, bolt11: found.value.payment_request };
      // Not found is no proof: the request may still be on its way.
      throw new NodeError("silent", inWords(made));
    },

    async lookUp(paymentHash) {
      const found = await findInvoice(paymentHash);
      if (found.kind === "ok") return stateOf(found.value);
      if (isUnknownInvoice(found)) return { kind: "missing" };
      throw nodeError(found);
    },

    async cancel(paymentHash) {
      const answer = await cancelInvoice(paymentHash);
      if (answer.kind === "ok") return true;
      if (isSettledInvoice(answer)) return false;
      // LND takes no payment for a hash that it does not know: the invoice was never made, or was cancelled and cleared
      // away. One whose making is still on its way comes into being unseen, and nobody is given it.
      if (isUnknownInvoice(answer)) return true;
      throw nodeError(answer);
    },

    /**
     * The cursor is LND's settle index. It replays what came after the index, but nothing after none and nothing after
     * 0. Nor does it say when it has begun to listen: open invoices are looked up as well.
     */
    async follow(cursor, report, signal) {
      const path = `/v1/invoices/subscribe${cursor === undefined ? "" : `?settle_index=${cursor}`}`;
      let reached = cursor ?? 0;
      for await (const event of streamFromLnd(send, path, eventSchema, { timeoutMs, signal })) {
        if (event.kind !== "ok") throw nodeError(event);
        const invoice = event.value.result;
        if (invoice.state !== "SETTLED") continue;
        // A settlement that is told again does not take the cursor back.
        reached = Math.max(reached, invoice.settle_index);
        report(paymentOf(invoice), reached);
      }
    },

    async probe() {
      const state = await ask({ method: "GET", path: "/v1/state", anonymous: true }, stateSchema);
      if (state.kind !== "ok") return inWords(state);
      const notReady = describeState(state.value.state);
      if (notReady !== undefined) return notReady;
      const list = await ask({ method: "GET", path: "/v1/invoices?num_max_invoices=1" }, listSchema);
      return list.kind === "ok" ? cancelTrouble() : inWords(list);
    },
  };
}

function toLndOrder({ preimage, amountMsat, descriptionHash, expirySeconds }: InvoiceOrder) {
  return {
    r_preimage: hexToBase64(preimage),
    value_msat: String(amountMsat),
    description_hash: hexToBase64(descriptionHash),
    expiry: String(expirySeconds),
    // Hints at unannounced channels, without which a node that has no others cannot be paid.
    private: true,
  };
}

/** LND would read an amount of 0 as any amount, and an expiry of 0 or less as one day. */
function checkOrder({ amountMsat, expirySeconds }: InvoiceOrder): void {
  if (!Number.isSafeInteger(amountMsat) || amountMsat < 1) {
    throw new NodeError("refused", "an invoice of LND asks for a whole number of msat above 0");
  }
  if (!Number.isInteger(expirySeconds) || expirySeconds < 1 || expirySeconds > MAX_EXPIRY_SECONDS) {
    throw new NodeError("refused", "an invoice of LND is open for at least 1 s and at most 365 days");
  }
}
