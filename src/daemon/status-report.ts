import * as z from "zod";
import { listingStandingSchema, onRelaySchema } from "./listing-report.ts";

const salesSumSchema = z.object({ sales: z.number(), sat: z.number() });
const sumsSchema = z.object({ day: salesSumSchema, week: salesSumSchema, month: salesSumSchema });
/** In words, with the mend; null when nothing is wrong. */
const troubleSchema = z.string().nullable();

/** `europa-node status`. Times in unix seconds, sums in sat. */
export const statusReportSchema = z.object({
  version: z.string(),
  at: z.number(),
  startedAt: z.number(),
  publicHost: z.string(),
  /** What is wrong now and has lasted, the oldest first: what notes tell, also while none are sent. */
  troubles: z.array(z.object({ name: z.string(), since: z.number(), words: z.string(), event: z.string() })),
  listing: z.object({
    standing: listingStandingSchema,
    /** Why nothing can be sold to a newcomer now. */
    closed: z.string().nullable(),
    dTag: z.string(),
    /** Null when it is not paused. */
    pausedBy: z.enum(["operator", "restored"]).nullable(),
  }),
  /** When the backup was made that this book goes on from, and first started from; null when it never was restored. */
  restored: z.object({ backupAt: z.number(), startedAt: z.number() }).nullable(),
  /** Of the last 24 hours, 7 days and 30 days, by when they were paid. */
  sales: z.object({
    ways: z.array(
      sumsSchema.extend({ method: z.enum(["cashu", "lightning"]), mintUrl: z.string().nullable() }),
    ),
    total: sumsSchema,
  }),
  tunnels: z.object({
    live: z.number(),
    endingWithinDay: z.number(),
    poolSize: z.number(),
    /** Counted up to 1000. */
    poolFree: z.number(),
    interface: z.string(),
    /** `defaultMbit`: each way, where a tier names none; null for no limit. */
    rates: z.object({ defaultMbit: z.number().nullable(), areSold: z.boolean(), areHeld: z.boolean() }),
    trouble: troubleSchema,
    /** Peers on the interface that the book does not know, at most 100 of them. */
    unknownPeers: z.array(z.object({ shortKey: z.string(), allowedIps: z.array(z.string()) })),
    unknownPeerCount: z.number(),
  }),
  open: z.object({
    /** Paid, and without a tunnel yet. */
    owed: z.object({ sales: z.number(), sat: z.number(), oldestAt: z.number().nullable() }),
    /** Ecash of which the mint has not said whether it took it. */
    unresolved: z.object({ sales: z.number(), sat: z.number(), oldestAt: z.number().nullable() }),
    unpaidInvoices: z.number(),
  }),
  /** As the book has it; null while Cashu is off. */
  wallet: z
    .object({
      mints: z.array(z.object({ mintUrl: z.string(), sat: z.number() })),
      totalSat: z.number(),
      outbox: z.object({ events: z.number(), proofs: z.number(), sat: z.number() }),
    })
    .nullable(),
  mints: z.array(z.object({ url: z.string(), answeredAt: z.number().nullable(), trouble: troubleSchema })),
  /** Null while Lightning is off. */
  lightning: z.object({ backend: z.string(), trouble: troubleSchema }).nullable(),
  /** The listing as each has it, asked now. */
  relays: z.array(onRelaySchema.extend({ connected: z.boolean() })),
  disk: z.object({
    databasePath: z.string(),
    databaseBytes: z.number(),
    freeBytes: z.number(),
    trouble: troubleSchema,
  }),
});

export type StatusReport = z.infer<typeof statusReportSchema>;
