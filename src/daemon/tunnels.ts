import { createKeeper } from "../tunnels/keeper.ts";
import type { Context } from "./context.ts";
import { chooseEnforcement, warnOfCollisions } from "./enforcement.ts";
import { chooseLimits } from "./limits.ts";
import { checkRates } from "./rates.ts";
import type { Records } from "./records.ts";

const EXPIRY_MS = 500;

export type Tunnels = Awaited<ReturnType<typeof raiseTunnels>>;

/** The tunnels that run already, held up and ended from here on. */
export async function raiseTunnels({ config, logger, clock, life }: Context, records: Records) {
  const { sessions, pool, guard, database, prices, facts } = records;
  const { enforcement, serverPublicKey } = chooseEnforcement(config.wireguard);
  const limits = await chooseLimits(config.wireguard, facts, logger);
  const rates = checkRates(config, limits, logger);
  const { exclusive, tickSeconds } = config.wireguard;
  const keeper = createKeeper({
    store: sessions,
    pool,
    enforcement,
    limits,
    guard,
    wallMs: Date.now,
    exclusive,
    logger,
    onChange: life.changed,
  });
  const { unusable, outside } = sessions.adoptOldRows(clock.now());
  if (unusable.length + outside.length > 0) {
    logger.warn(
      { event: "odd-sessions", unusable: unusable.length, outsideSubnet: outside.length },
      "sessions with no usable key or address stay off; those outside the subnet run until they end",
    );
  }
  await warnOfCollisions(config.wireguard, logger);
  await keeper.tick();
  database.probe();
  life.job("tick", tickSeconds * 1000, async () => {
    // First: the tick itself fails when it cannot write what it counted.
    database.probe();
    await keeper.tick();
    prices.offered(config.listing.prices, clock.now());
  });
  life.job("expiry", EXPIRY_MS, keeper.expire);
  return { enforcement, serverPublicKey, keeper, rates };
}
