import type { Logger } from "pino";
import type { WireguardConfig } from "../config/types.ts";
import type { Facts } from "../db/facts.ts";
import { createLimitKeeper, type LimitKeeper, noLimits } from "../tunnels/limit-keeper.ts";
import { createNftLimits, nftTrouble, removeNftLimits } from "../wireguard/nft-limits.ts";
import { createFormerLimits } from "./former-limits.ts";
import { StartRefused } from "./start-refused.ts";

/** What holds tunnels to their limits, as configured and as the host can. */
export async function chooseLimits(
  config: WireguardConfig,
  facts: Facts,
  logger: Logger,
): Promise<LimitKeeper> {
  const { mode, enforcement, interface: interfaceName, maxFlows } = config;
  if (mode === "in-memory") return noLimits;
  const former = createFormerLimits(facts);
  if (enforcement === "daemon") {
    // Limits of a former start would run out with nobody to renew them. Where nft fails there are none.
    await removeNftLimits({ interfaceName }).then(former.gone, () => undefined);
    return noLimits;
  }
  const trouble = await nftTrouble({ interfaceName, maxFlows });
  if (trouble === undefined) {
    former.set();
    return createLimitKeeper(createNftLimits({ interfaceName, maxFlows }), logger);
  }
  if (enforcement === "kernel") {
    throw new StartRefused(`wireguard.enforcement is "kernel", but ${trouble.message}`, 78);
  }
  if (former.mayStand()) {
    throw new StartRefused(
      `${trouble.message}. A former start set limits in this host's nftables: while they stand, no tunnel passes that is sold without nft. Where they are gone for certain, set wireguard.enforcement = "daemon"`,
      78,
    );
  }
  logger.warn(
    { event: "limits-by-daemon" },
    `${trouble.message}; until then the daemon holds tunnels to their limits, while it runs`,
  );
  return noLimits;
}
