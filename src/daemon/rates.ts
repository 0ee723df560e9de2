import type { Logger } from "pino";
import type { Config } from "../config/types.ts";
import { type LimitKeeper, noLimits } from "../tunnels/limit-keeper.ts";

type RateConfig = {
  wireguard: Pick<Config["wireguard"], "rateMbit">;
  listing: Pick<Config["listing"], "prices">;
};

export interface Rates {
  /** In Mbit/s each way, of tunnels whose tier has none; null for no limit. */
  defaultMbit: number | null;
  /** Some tunnels that are sold now have a rate. */
  areSold: boolean;
  /** The kernel holds tunnels to their rates; else nothing does. */
  areHeld: boolean;
}

/** What the config says of rates. That nothing would hold them is worth a word, not a refusal: tunnels are faster. */
export function checkRates({ wireguard, listing }: RateConfig, limits: LimitKeeper, logger: Logger): Rates {
  const { rateMbit: defaultMbit } = wireguard;
  const areSold = defaultMbit !== null || listing.prices.some(({ rateMbit }) => rateMbit !== undefined);
  const areHeld = limits !== noLimits;
  if (areSold && !areHeld) {
    logger.warn(
      { event: "rates-not-held" },
      "the config has rates (rate_mbit), and nothing holds tunnels to them: only the kernel can, with nftables and a wireguard.enforcement other than daemon",
    );
  }
  return { defaultMbit, areSold, areHeld };
}
