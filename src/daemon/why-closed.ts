import type { Config } from "../config/types.ts";
import type { OpenSales } from "./open-sales.ts";
import type { Records } from "./records.ts";

/** Why no new session is sold, whatever pool and interface say: the message for the buyer. Renewals go through. */
export function whyClosed(
  { listing }: Pick<Config, "listing">,
  { database, pause, retirement }: Pick<Records, "database" | "pause" | "retirement">,
  { handshakes }: Pick<OpenSales, "handshakes">,
): string | undefined {
  if (database.trouble() !== undefined) return "the operator's database cannot take a new sale now";
  if (pause.cause() !== undefined || retirement.isRetired()) return "the operator sells to nobody new now";
  if (listing.soldWhenUnreachable && handshakes.isClosed())
    return "tunnels of this operator do not come up now";
  return undefined;
}
