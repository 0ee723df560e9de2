import * as z from "zod";

/** In sat. `paid = proofs + fee + loss` and `proofs = outbox + wallet + spent + unknown`. */
const sums = {
  /** Face value of the tokens of all sales that were paid. */
  paidSat: z.number(),
  /** Proofs taken in, wherever they are now. */
  proofSat: z.number(),
  /** The mints' input fees, borne by the operator. */
  feeSat: z.number(),
  /** What mints that answered wrongly did not give. */
  lossSat: z.number(),
  outboxSat: z.number(),
  walletSat: z.number(),
  spentSat: z.number(),
  /** Mint or relays did not answer: unknown, not wrong. */
  unknownSat: z.number(),
};

const sumsSchema = z.object(sums);
const mintSumsSchema = z.object({ mintUrl: z.string(), ...sums });
/** In msat, over all invoices that were paid. `requested + overpaid = received + fee + short`. */
const lightningSumsSchema = z.object({
  payments: z.number(),
  requestedMsat: z.number(),
  receivedMsat: z.number(),
  /** What the node kept. */
  feeMsat: z.number(),
  overpaidMsat: z.number(),
  /** What the node called paid, and did not receive. */
  shortMsat: z.number(),
});
/** Tokens given back, in sat. `taken = given + fee + loss`. */
const refundSumsSchema = z.object({
  refunds: z.number(),
  takenSat: z.number(),
  givenSat: z.number(),
  /** The mints' fees, which the buyers bore. */
  feeSat: z.number(),
  /** What mints that answered wrongly did not give. */
  lossSat: z.number(),
  /** Of unknown outcome so far. */
  open: z.number(),
});
const openSaleSchema = z.object({
  saleId: z.string(),
  state: z.enum(["swapping", "paid", "owed"]),
  ageSeconds: z.number(),
  faceSat: z.number(),
  /** Null over Lightning. */
  mintUrl: z.string().nullable(),
});
const differenceSchema = z.object({
  /** Null for what belongs to no sale. */
  saleId: z.string().nullable(),
  /** In words, with figures; holds nothing of a buyer. */
  what: z.string(),
});

/** What `europa-node books` shows. */
export const booksReportSchema = z.object({
  balanced: z.union([z.boolean(), z.literal("unknown")]),
  /** Unix seconds. */
  at: z.number(),
  mints: z.array(mintSumsSchema),
  total: sumsSchema,
  lightning: lightningSumsSchema,
  refunds: refundSumsSchema,
  payments: z.object({ sales: z.number(), granted: z.number(), owed: z.number() }),
  /** Live sessions, and how many of them have their peer on the interface. */
  tunnels: z.object({ live: z.number(), up: z.union([z.number(), z.literal("unknown")]) }),
  open: z.array(openSaleSchema),
  differences: z.array(differenceSchema),
  /** What could not be looked at, in words. */
  unknown: z.array(z.string()),
});

export type Sums = z.infer<typeof sumsSchema>;
export type MintSums = z.infer<typeof mintSumsSchema>;
export type LightningSums = z.infer<typeof lightningSumsSchema>;
export type RefundSums = z.infer<typeof refundSumsSchema>;
export type OpenSale = z.infer<typeof openSaleSchema>;
export type BookDifference = z.infer<typeof differenceSchema>;
export type BooksReport = z.infer<typeof booksReportSchema>;
