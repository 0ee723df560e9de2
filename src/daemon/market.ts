import type { Mints } from "../cashu/mints.ts";
import type { Config } from "../config/types.ts";
import { currentListing } from "../current-listing.ts";
import type { Listing } from "../protocol/listing.ts";
import type { NodeWatch } from "../sales/lightning/node-watch.ts";
import type { Settlement } from "../sales/settle.ts";
import type { Vacancy } from "../sales/vacancy.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { DatabaseProbe } from "./database-probe.ts";

interface MarketParts {
  config: Config;
  mints: Mints;
  /** Undefined when Lightning is off. */
  node: NodeWatch | undefined;
  settlement: Settlement;
  vacancy: Vacancy;
  keeper: Keeper;
  database: DatabaseProbe;
}

/** Whether we can sell now, and the listing that says so. */
export function createMarket({ config, mints, node, settlement, vacancy, keeper, database }: MarketParts) {
  function closed(): string | undefined {
    const trouble = database.trouble() ?? keeper.trouble();
    if (trouble !== undefined) return trouble;
    return vacancy.hasAddress() ? undefined : "every address is taken";
  }

  return {
    listing: (): Listing | undefined =>
      currentListing(config, {
        closed: closed(),
        nodeUsable: node !== undefined && node.trouble() === undefined,
        mintUsable: (mintKey) => mints.find(mintKey)?.reachable() === true && settlement.hasRoomAt(mintKey),
      }),
  };
}
