import * as z from "zod";
import type { BooksReport, Sums } from "./report.ts";

/** In sat: in live wallet events, acknowledged by no relay yet, and where neither relays nor mint say. */
const placesSchema = z.object({ walletSat: z.number(), outboxSat: z.number(), unknownSat: z.number() });

/** What `europa-node wallet balance` shows. */
export const walletBalanceSchema = z.object({
  mints: z.array(placesSchema.extend({ mintUrl: z.string() })),
  total: placesSchema,
  /** What could not be looked at, in words. */
  unknown: z.array(z.string()),
});

export type WalletBalanceReport = z.infer<typeof walletBalanceSchema>;

/** What of the books is still the operator's, as ecash. */
export function walletBalanceOf({ mints, total, unknown }: BooksReport): WalletBalanceReport {
  return {
    mints: mints.map(({ mintUrl, ...sums }) => ({ mintUrl, ...places(sums) })),
    total: places(total),
    unknown,
  };
}

function places({ walletSat, outboxSat, unknownSat }: Sums): z.infer<typeof placesSchema> {
  return { walletSat, outboxSat, unknownSat };
}
