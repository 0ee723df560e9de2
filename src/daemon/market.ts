import type { Config } from "../config/types.ts";
import { currentListing } from "../current-listing.ts";
import type { Listing } from "../protocol/listing.ts";
import type { Vacancy } from "../sales/vacancy.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { OpenSales } from "./open-sales.ts";

export type Market = ReturnType<typeof createMarket>;

interface MarketParts extends OpenSales {
  config: Config;
  vacancy: Vacancy;
  keeper: Keeper;
  /** Why no new buyer is served. */
  closedToStrangers: () => string | undefined;
}

/** Whether we can sell now, and the listing that says so. */
export function createMarket({
  config,
  mints,
  lightning,
  settlement,
  vacancy,
  keeper,
  closedToStrangers,
}: MarketParts) {
  /** Why nothing can be sold to a newcomer, in words. */
  function closed(): string | undefined {
    const trouble = closedToStrangers() ?? keeper.trouble();
    if (trouble !== undefined) return trouble;
    return vacancy.hasAddress() ? undefined : "every address is taken";
  }

  return {
    closed,
    listing: (): Listing | undefined =>
      currentListing(config, {
        closed: closed(),
        nodeUsable: lightning !== undefined && lightning.watch.trouble() === undefined,
        mintUsable: (mintKey) => mints.find(mintKey)?.reachable() === true && settlement.hasRoomAt(mintKey),
      }),
  };
}
