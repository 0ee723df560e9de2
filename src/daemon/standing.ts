import { z } from "zod";
import { version } from "../version.ts";
import type { Context } from "./context.ts";
import type { OpenSales } from "./open-sales.ts";
import type { Records } from "./records.ts";
import type { Tunnels } from "./tunnels.ts";
import type { Wallet } from "./wallet.ts";

const trouble = z.string().nullable();

/** What only the running daemon knows of itself, for `doctor`: troubles in words, with their mend; null is none. */
export const standingSchema = z.object({
  version: z.string(),
  database: trouble,
  wireguard: trouble,
  /** Null also while Lightning is off. */
  lightning: trouble,
  mints: z.array(z.object({ url: z.string(), trouble })),
  relays: z.array(z.object({ url: z.string(), connected: z.boolean() })),
  /** What no relay has yet; null while Cashu is off. */
  wallet: z.object({ events: z.number(), proofs: z.number() }).nullable(),
});

export type Standing = z.infer<typeof standingSchema>;

/** The verb of the control socket. */
export const STANDING = "standing";

interface StandingParts {
  records: Records;
  tunnels: Tunnels;
  openSales: OpenSales;
  wallet: Wallet;
}

/** From now on the daemon says over its socket how it stands. */
export function serveStanding(
  { config }: Context,
  { records, tunnels, openSales, wallet }: StandingParts,
): void {
  records.control.serve(
    STANDING,
    async (): Promise<Standing> => ({
      version,
      database: records.database.trouble() ?? null,
      wireguard: tunnels.keeper.trouble() ?? null,
      lightning: openSales.lightning?.watch.trouble() ?? null,
      mints: openSales.mints.all().map((mint) => ({ url: mint.url, trouble: mint.status().trouble ?? null })),
      relays: wallet.relays.status(),
      wallet: config.cashu === undefined ? null : wallet.outbox.waiting(),
    }),
  );
}
