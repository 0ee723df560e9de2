import * as z from "zod";

export const listingStandingSchema = z.enum(["offered", "paused", "retired"]);

export const onRelaySchema = z.object({
  url: z.string(),
  /** `as-wanted`: what is to stand there, or nothing once it is retired. `other`: another version, or one too many. */
  has: z.enum(["as-wanted", "other", "nothing", "unknown"]),
  /** Of the version that stands there. */
  status: z.enum(["active", "sold"]).nullable(),
  createdAt: z.number().nullable(),
  /** Why it is unknown. */
  said: z.string().nullable(),
});

/** What is to stand on the relays. */
const wantedSchema = z.object({
  status: z.enum(["active", "sold"]),
  content: z.string(),
  tags: z.array(z.array(z.string())),
});

/** `listing show`. */
export const listingReportSchema = z.object({
  standing: listingStandingSchema,
  coordinate: z.string(),
  /** Why nothing can be sold to a newcomer now, in words. */
  closed: z.string().nullable(),
  /** Null when nothing is to stand there: it is retired, or no payment method is configured right. */
  wanted: wantedSchema.nullable(),
  relays: z.array(onRelaySchema),
});

/** `listing publish`, `pause`, `resume` and `retire`. */
export const publishedSchema = z.object({
  standing: listingStandingSchema,
  /** Of what went out; null when nothing could. */
  status: z.enum(["active", "sold", "retired"]).nullable(),
  /** Why nothing went out, in words. */
  failed: z.string().nullable(),
  relays: z.array(z.object({ url: z.string(), taken: z.boolean(), said: z.string() })),
});

export type ListingStanding = z.infer<typeof listingStandingSchema>;
export type OnRelay = z.infer<typeof onRelaySchema>;
export type ListingReport = z.infer<typeof listingReportSchema>;
export type ListingPublished = z.infer<typeof publishedSchema>;
