import { createHash, randomBytes } from "node:crypto";
import { encodeInvoice } from "../../lightning/bolt11.ts";

/** Answered as `{code, message, details}`; gRPC's code. */
export class LndError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** gRPC's codes that LND uses. Most of what goes wrong is 2. */
export const UNKNOWN = 2;
export const INVALID_ARGUMENT = 3;
export const NOT_FOUND = 5;

export interface LndOrder {
  memo: string;
  preimage: string;
  /** 0: any amount. */
  valueMsat: number;
  descriptionHash: string;
  /** 0 or less: one day. */
  expirySeconds: number;
  isPrivate: boolean;
}

export interface LndInvoice extends Readonly<LndOrder> {
  readonly paymentHash: string;
  readonly bolt11: string;
  readonly createdAt: number;
  readonly addIndex: number;
  state: "OPEN" | "SETTLED" | "CANCELED";
  /** 0 until it is settled. */
  settleIndex: number;
  settledAt: number;
  paidMsat: number;
}

export interface LndLedger {
  add(order: LndOrder): LndInvoice;
  find(paymentHash: string): LndInvoice;
  cancel(paymentHash: string): void;
  /** As a wallet does: too little, a second payment and one after expiry are refused. Throws then. */
  pay(paymentHash: string, amountMsat?: number): void;
  /** Oldest first. */
  all(): LndInvoice[];
  settledAfter(settleIndex: number): LndInvoice[];
}

const DAY_SECONDS = 86_400;
const MAX_EXPIRY_SECONDS = 365 * DAY_SECONDS;

/** An LND's invoices, in memory. `tell` hears of each that is made or settled; of no other change. */
export function createLndLedger(now: () => number, tell: (invoice: LndInvoice) => void): LndLedger {
  const privateKey = randomBytes(32);
  const invoices = new Map<string, LndInvoice>();
  let settlements = 0;

  function expire(invoice: LndInvoice): LndInvoice {
    if (invoice.state === "OPEN" && now() >= invoice.createdAt + invoice.expirySeconds) {
      invoice.state = "CANCELED";
    }
    return invoice;
  }

  function find(paymentHash: string): LndInvoice {
    const invoice = invoices.get(paymentHash);
    if (!invoice) throw new LndError(NOT_FOUND, "unable to locate invoice");
    return expire(invoice);
  }

  return {
    add(order) {
      const { preimage, valueMsat, descriptionHash } = order;
      if (order.expirySeconds > MAX_EXPIRY_SECONDS) {
        throw new LndError(
          UNKNOWN,
          `expiry of ${order.expirySeconds} seconds greater than max expiry of ${MAX_EXPIRY_SECONDS} seconds`,
        );
      }
      const paymentHash = createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex");
      if (invoices.has(paymentHash)) throw new LndError(UNKNOWN, "invoice with payment hash already exists");
      const expirySeconds = order.expirySeconds > 0 ? order.expirySeconds : DAY_SECONDS;
      const terms = { paymentHash, amountMsat: valueMsat, descriptionHash, expirySeconds };
      const invoice: LndInvoice = {
        ...order,
        expirySeconds,
        paymentHash,
        bolt11: encodeInvoice({ ...terms, timestamp: now(), privateKey }),
        createdAt: now(),
        addIndex: invoices.size + 1,
        state: "OPEN",
        settleIndex: 0,
        settledAt: 0,
        paidMsat: 0,
      };
      invoices.set(paymentHash, invoice);
      tell(invoice);
      return invoice;
    },

    find,

    cancel(paymentHash) {
      if (!invoices.has(paymentHash)) throw new LndError(UNKNOWN, "unable to locate invoice");
      const invoice = find(paymentHash);
      if (invoice.state === "SETTLED") throw new LndError(UNKNOWN, "invoice already settled");
      invoice.state = "CANCELED";
    },

    pay(paymentHash, amountMsat) {
      const invoice = find(paymentHash);
      const paidMsat = amountMsat ?? invoice.valueMsat;
      if (invoice.state !== "OPEN" || paidMsat < invoice.valueMsat) {
        throw new Error("incorrect_or_unknown_payment_details");
      }
      settlements += 1;
      Object.assign(invoice, {
        state: "SETTLED",
        settleIndex: settlements,
        settledAt: now(),
        paidMsat,
      } satisfies Partial<LndInvoice>);
      tell(invoice);
    },

    all: () => [...invoices.values()].map(expire),

    settledAfter: (settleIndex) =>
      [...invoices.values()]
        .filter((invoice) => invoice.settleIndex > settleIndex)
        .sort((a, b) => a.settleIndex - b.settleIndex),
  };
}
