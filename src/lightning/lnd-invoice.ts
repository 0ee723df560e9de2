import * as z from "zod";
import type { InvoiceState, Payment } from "../sales/lightning/ports.ts";

/** A 64-bit number, which LND writes as a string and takes either way. */
const int64 = z
  .union([z.string().regex(/^-?\d{1,19}$/), z.number()])
  .transform(Number)
  .pipe(z.number().int());

const amountMsat = int64.pipe(z.number().min(0));
/** Settlements are counted from 1; 0 belongs to what is not settled. */
const settleIndex = int64.pipe(z.number().min(1));

/** 32 bytes: base64 in LND's JSON, hex with us. */
const hash = z
  .base64()
  .transform((text) => Buffer.from(text, "base64").toString("hex"))
  .pipe(z.string().length(64));

export function hexToBase64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}

/** An invoice of ours, known by its hash: an answer about another one is none. */
export function invoiceSchema(paymentHash: string) {
  const ours = { r_hash: hash.pipe(z.literal(paymentHash)), payment_request: z.string().min(1) };
  return z.discriminatedUnion("state", [
    z.object({ ...ours, state: z.literal("SETTLED"), amt_paid_msat: amountMsat }),
    z.object({ ...ours, state: z.enum(["OPEN", "ACCEPTED", "CANCELED"]) }),
  ]);
}

export function createdSchema(paymentHash: string) {
  return z.object({ r_hash: hash.pipe(z.literal(paymentHash)), payment_request: z.string().min(1) });
}

type LndInvoice = z.infer<ReturnType<typeof invoiceSchema>>;

export function stateOf(invoice: LndInvoice): InvoiceState {
  switch (invoice.state) {
    case "SETTLED":
      return { kind: "paid", payment: paymentOf(invoice) };
    case "CANCELED":
      return { kind: "closed" };
    case "OPEN":
    // Of a payment in several parts, some have come.
    case "ACCEPTED":
      return { kind: "open" };
  }
}

/** Any invoice of the node, ours or not, in any state: only settlements are looked at closely. */
export const eventSchema = z.object({
  result: z.union([
    z.object({
      state: z.literal("SETTLED"),
      r_hash: hash,
      amt_paid_msat: amountMsat,
      settle_index: settleIndex,
    }),
    z.object({ state: z.enum(["OPEN", "ACCEPTED", "CANCELED"]) }),
  ]),
});

/** LND takes no fee from what it receives. */
export function paymentOf(settled: { r_hash: string; amt_paid_msat: number }): Payment {
  return {
    paymentHash: settled.r_hash,
    reference: undefined,
    receivedMsat: settled.amt_paid_msat,
    feeMsat: 0,
  };
}
