import * as z from "zod";

/** A public key of secp256k1 as NUT-11 has it: 66 hex, 02 or 03 in front. */
export const lockKeySchema = z.string().regex(/^0[23][0-9a-f]{64}$/i);

export const refundRequestSchema = z.object({ token: z.string(), lockedTo: lockKeySchema.optional() });

/** What `europa-node refund` shows. */
export const refundAnswerSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("refunded"),
    /** Null when the mint took the token and gave nothing. */
    token: z.string().nullable(),
    faceSat: z.number(),
    feeSat: z.number(),
    givenSat: z.number(),
  }),
  z.object({ kind: z.literal("refused"), message: z.string() }),
  /** The mint has not said what it did: the same request goes on with it. */
  z.object({ kind: z.literal("open"), message: z.string() }),
]);

export type RefundAnswer = z.infer<typeof refundAnswerSchema>;
