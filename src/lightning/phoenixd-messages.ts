import * as z from "zod";
import type { Payment } from "../sales/lightning/ports.ts";

// phoenixd 0.8 leaves out what is null. What we do not use is not looked at.

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const wholeMsat = z.int().nonnegative();
/** Whole sats of which the msat are a safe integer. */
const wholeSat = z
  .int()
  .nonnegative()
  .max(Math.floor(Number.MAX_SAFE_INTEGER / 1000));
const unixMs = z.int().nonnegative();

export const nodeInfo = z.object({ nodeId: z.string().regex(/^0[23][0-9a-f]{64}$/) });

export const createdInvoice = z.object({ paymentHash: hex32 });

/** An invoice and what came of it; or a payment to an offer (BOLT12), which has neither invoice nor `externalId`. */
export const incomingPayment = z.object({
  paymentHash: hex32,
  /** There before the payment too. */
  preimage: hex32,
  externalId: z.string().nullish(),
  invoice: z
    .string()
    .regex(/^ln[a-z0-9]{1,4000}$/)
    .nullish(),
  isPaid: z.boolean(),
  /** By the clock alone: a paid invoice expires too. */
  isExpired: z.boolean(),
  /** After `fees`. */
  receivedSat: wholeSat,
  /** msat. */
  fees: wholeMsat,
  completedAt: unixMs.nullish(),
});
export type IncomingPayment = z.infer<typeof incomingPayment>;

/** Only `payment_received` is of use. Where it has no hash we could ask about, it is not a payment of ours. */
export const streamEvent = z.object({
  type: z.string(),
  paymentHash: hex32.optional().catch(undefined),
});

/** Whether somebody gave it a reference, as we always do. */
export function isReferenced(entry: unknown): boolean {
  return z.object({ externalId: z.string() }).safeParse(entry).success;
}

export function toPayment({ paymentHash, externalId, receivedSat, fees }: IncomingPayment): Payment {
  return { paymentHash, reference: externalId ?? undefined, receivedMsat: receivedSat * 1000, feeMsat: fees };
}
