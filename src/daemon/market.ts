import type { Mints } from "../cashu/mints.ts";
import type { Config } from "../config/types.ts";
import { currentListing } from "../current-listing.ts";
import type { Listing } from "../protocol/listing.ts";
import type { SaleStore } from "../sales/sale-store.ts";
import type { Settlement } from "../sales/settle.ts";
import type { AddressPool } from "../tunnels/address-pool.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { DatabaseProbe } from "./database-probe.ts";

interface MarketParts {
  config: Config;
  mints: Mints;
  sales: SaleStore;
  settlement: Settlement;
  pool: AddressPool;
  keeper: Keeper;
  database: DatabaseProbe;
  now: () => number;
}

/** Whether we can sell now, and the listing that says so. */
export function createMarket({ config, mints, sales, settlement, pool, keeper, database, now }: MarketParts) {
  function closed(): string | undefined {
    const trouble = database.trouble() ?? keeper.trouble();
    if (trouble !== undefined) return trouble;
    const owed = sales.owedWithoutSession();
    return pool.countFree(now(), owed + 1) <= owed ? "every address is taken" : undefined;
  }

  return {
    /** Why nobody new is sold to, in words for the buyer. */
    closedToStrangers: () =>
      database.trouble() === undefined ? undefined : "the operator's database cannot take a new sale now",
    listing: (): Listing | undefined =>
      currentListing(config, {
        closed: closed(),
        mintUsable: (mintKey) => mints.find(mintKey)?.reachable() === true && settlement.hasRoomAt(mintKey),
      }),
  };
}
