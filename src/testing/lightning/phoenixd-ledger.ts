import { createHash, randomBytes } from "node:crypto";
import { encodeInvoice } from "../../lightning/bolt11.ts";

/** What phoenixd keeps of an incoming payment, paid or not. Times are unix milliseconds. */
export interface PhoenixdRecord {
  kind: "invoice" | "offer" | "on-chain";
  paymentHash: string;
  preimage: string;
  externalId: string | undefined;
  bolt11: string | undefined;
  requestedSat: number | undefined;
  /** What reached the node, after `feeMsat`. */
  receivedMsat: number;
  feeMsat: number;
  createdAt: number;
  expiresAt: number | undefined;
  /** Undefined while it is not paid. */
  completedAt: number | undefined;
}

export interface InvoiceTerms {
  amountSat: number;
  descriptionHash: string;
  expirySeconds: number;
  externalId: string | undefined;
}

export interface ListQuery {
  from: number;
  to: number;
  limit: number;
  offset: number;
  all: boolean;
  externalId: string | undefined;
}

export type PhoenixdLedger = ReturnType<typeof createPhoenixdLedger>;

/** The payments of a phoenixd in memory. `now` is in milliseconds. */
export function createPhoenixdLedger(privateKey: Uint8Array, now: () => number) {
  const records = new Map<string, PhoenixdRecord>();

  function add(known: Pick<PhoenixdRecord, "kind"> & Partial<PhoenixdRecord>): PhoenixdRecord {
    const preimage = randomBytes(32);
    const record: PhoenixdRecord = {
      paymentHash: createHash("sha256").update(preimage).digest("hex"),
      preimage: preimage.toString("hex"),
      externalId: undefined,
      bolt11: undefined,
      requestedSat: undefined,
      receivedMsat: 0,
      feeMsat: 0,
      createdAt: now(),
      expiresAt: undefined,
      completedAt: undefined,
      ...known,
    };
    records.set(record.paymentHash, record);
    return record;
  }

  return {
    /** Newest last. */
    records: () => [...records.values()],
    get: (paymentHash: string) => records.get(paymentHash),

    createInvoice({ amountSat, descriptionHash, expirySeconds, externalId }: InvoiceTerms): PhoenixdRecord {
      const record = add({ kind: "invoice", externalId, requestedSat: amountSat });
      record.expiresAt = record.createdAt + expirySeconds * 1000;
      record.bolt11 = encodeInvoice({
        paymentHash: record.paymentHash,
        amountMsat: amountSat * 1000,
        descriptionHash,
        expirySeconds,
        timestamp: Math.floor(record.createdAt / 1000),
        privateKey,
      });
      return record;
    },

    /** A payment with the sum in msat that its sender gives, of which the node keeps a fee. */
    pay(paymentHash: string, amountMsat?: number, feeMsat = 0): PhoenixdRecord {
      const record = records.get(paymentHash);
      if (record?.requestedSat === undefined) throw new Error("there is no such invoice");
      if (record.completedAt !== undefined) throw new Error("the invoice is paid");
      if (isExpired(record, now())) throw new Error("the invoice has expired");
      const requestedMsat = record.requestedSat * 1000;
      const sentMsat = amountMsat ?? requestedMsat;
      // BOLT4: not less, and at most twice as much.
      if (sentMsat < requestedMsat || sentMsat > 2 * requestedMsat)
        throw new Error("the amount does not fit");
      Object.assign(record, { receivedMsat: sentMsat - feeMsat, feeMsat, completedAt: now() });
      return record;
    },

    /** A payment that no invoice asked for. */
    receive(kind: "offer" | "on-chain", amountMsat: number): PhoenixdRecord {
      return add({ kind, receivedMsat: amountMsat, completedAt: now() });
    },

    /** Newest first. As in phoenixd, deposits on chain count for `limit` and are left out only then. */
    list({ from, to, limit, offset, all, externalId }: ListQuery): PhoenixdRecord[] {
      const timeOf = (record: PhoenixdRecord) => (all ? record.createdAt : record.completedAt);
      return [...records.values()]
        .reverse()
        .flatMap((record) => {
          const time = timeOf(record);
          return time === undefined ? [] : [{ record, time }];
        })
        .filter(({ time }) => time >= from && time <= to)
        .filter(({ record }) => externalId === undefined || record.externalId === externalId)
        .sort((a, b) => b.time - a.time)
        .slice(offset, offset + limit)
        .map(({ record }) => record)
        .filter(({ kind }) => kind !== "on-chain");
    },
  };
}

/** By the clock alone: a paid invoice expires too. */
export function isExpired({ expiresAt }: PhoenixdRecord, nowMs: number): boolean {
  return expiresAt !== undefined && nowMs > expiresAt;
}
