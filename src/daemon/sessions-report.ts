import * as z from "zod";

const sessionSchema = z.object({
  sessionId: z.string(),
  /** The first eight characters of the WireGuard key; empty once it is forgotten. */
  shortKey: z.string(),
  address: z.string(),
  /** `pending`, `active`, `expired` or `revoked`; an older daemon's book may have others. */
  status: z.string(),
  /** All times in unix seconds. */
  purchasedAt: z.number(),
  /** Null: without an end. */
  expiresAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  timeUntil: z.number().nullable(),
  /** Null: no data was bought. */
  quotaBytes: z.number().nullable(),
  usedBytes: z.number(),
  dataUntil: z.number().nullable(),
  /**
   * How fast it is, in Mbit/s each way (null: no limit), up to a moment or until so many bytes are left; what holds now
   * comes first. None unless it is active.
   */
  rates: z.array(
    z.object({
      rateMbit: z.number().nullable(),
      until: z.number().nullable(),
      untilBytesLeft: z.number().nullable(),
    }),
  ),
  /** Null: no peer on the interface, or the interface does not answer. */
  peer: z.object({ lastHandshakeAt: z.number().nullable() }).nullable(),
});

const refusedSchema = z.object({ refused: z.string() });

export const sessionListRequestSchema = z.object({ all: z.boolean() });
export const sessionListSchema = z.object({
  sessions: z.array(sessionSchema),
  /** Older ones that were left out. */
  leftOut: z.number(),
});

export const sessionShowRequestSchema = z.object({ which: z.string() });
const sessionDetailsSchema = z.object({
  session: sessionSchema,
  sales: z.array(
    z.object({
      saleId: z.string(),
      method: z.enum(["cashu", "lightning"]),
      state: z.string(),
      tier: z.string(),
      faceSat: z.number(),
      createdAt: z.number(),
    }),
  ),
  acts: z.array(
    z.object({
      act: z.enum(["revoked", "extended"]),
      doneAt: z.number(),
      reason: z.string().nullable(),
      seconds: z.number(),
      bytes: z.number(),
    }),
  ),
});
export const sessionShowSchema = z.union([refusedSchema, sessionDetailsSchema]);

export const LONGEST_REASON = 200;
export const sessionRevokeRequestSchema = z.object({
  which: z.string(),
  reason: z.string().min(1).max(LONGEST_REASON),
});
const revokedSchema = z.object({
  session: sessionSchema,
  /** Whether its peer is off the interface; if not, it goes when the interface answers. */
  peerOff: z.boolean(),
  /** Sales under way for it: once paid, each brings up a tunnel of its own. */
  underWay: z.number(),
});
export const sessionRevokeSchema = z.union([refusedSchema, revokedSchema]);

export const MOST_HOURS = 8760;
export const MOST_GIB = 10_240;
export const sessionExtendRequestSchema = z.object({
  which: z.string(),
  seconds: z
    .int()
    .nonnegative()
    .max(MOST_HOURS * 3600),
  bytes: z
    .int()
    .nonnegative()
    .max(MOST_GIB * 2 ** 30),
});
export const sessionExtendSchema = z.union([refusedSchema, z.object({ session: sessionSchema })]);

export type SessionReport = z.infer<typeof sessionSchema>;
export type SessionDetails = z.infer<typeof sessionDetailsSchema>;
export type SessionList = z.infer<typeof sessionListSchema>;
export type Revoked = z.infer<typeof revokedSchema>;
export type Refused = z.infer<typeof refusedSchema>;
