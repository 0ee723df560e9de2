import type { Mints } from "../cashu/mints.ts";
import type { Config } from "../config/types.ts";
import type { CashuDesk } from "../sales/purchase.ts";
import { createSemaphores } from "../semaphore.ts";

const SWAPS_AT_ONCE = 8;
/** At ten sales a second the last one is still answered well within the time that buyers are given. */
const SWAPS_WAITING = 64;

/** Ecash as configured, or why it is not taken. */
export function chooseCashuDesk(
  config: Config,
  mints: Mints,
): CashuDesk | "cashu-not-configured" | "no-cashu-in-listing" {
  if (!config.cashu) return "cashu-not-configured";
  if (!config.advertisedMethods.some((method) => method.type === "cashu")) return "no-cashu-in-listing";
  const swapPlaces = createSemaphores(SWAPS_AT_ONCE, SWAPS_WAITING);
  return { reader: mints.reader, findMint: mints.find, swapPlaces };
}
