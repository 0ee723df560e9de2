import type { Config } from "../config/types.ts";
import { currentListing } from "../current-listing.ts";
import type { Listing } from "../protocol/listing.ts";
import type { Vacancy } from "../sales/vacancy.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { DatabaseProbe } from "./database-probe.ts";
import type { OpenSales } from "./open-sales.ts";
import type { Pause } from "./pause.ts";

export type Market = ReturnType<typeof createMarket>;

interface MarketParts extends OpenSales {
  config: Config;
  vacancy: Vacancy;
  keeper: Keeper;
  database: DatabaseProbe;
  pause: Pause;
}

/** For a buyer; those who have a tunnel here are served all the same. */
export function whyClosedToStrangers({
  database,
  pause,
}: Pick<MarketParts, "database" | "pause">): string | undefined {
  if (database.trouble() !== undefined) return "the operator's database cannot take a new sale now";
  return pause.cause() === undefined ? undefined : "the operator sells to nobody new now";
}

/** Whether we can sell now, and the listing that says so. */
export function createMarket({
  config,
  mints,
  lightning,
  settlement,
  vacancy,
  keeper,
  database,
  pause,
}: MarketParts) {
  function closed(): string | undefined {
    const trouble = database.trouble() ?? keeper.trouble();
    if (trouble !== undefined) return trouble;
    if (pause.cause() !== undefined) return "the operator has paused it";
    return vacancy.hasAddress() ? undefined : "every address is taken";
  }

  return {
    listing: (): Listing | undefined =>
      currentListing(config, {
        closed: closed(),
        nodeUsable: lightning !== undefined && lightning.watch.trouble() === undefined,
        mintUsable: (mintKey) => mints.find(mintKey)?.reachable() === true && settlement.hasRoomAt(mintKey),
      }),
  };
}
