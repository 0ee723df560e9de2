import type { Logger } from "pino";
import type { WireguardConfig } from "../config/types.ts";
import { createLimitKeeper, type LimitKeeper, noLimits } from "../tunnels/limit-keeper.ts";
import { createNftLimits, nftTrouble, removeNftLimits } from "../wireguard/nft-limits.ts";
import { StartRefused } from "./start-refused.ts";

/** What holds tunnels to their limits, as configured and as the host can. */
export async function chooseLimits(config: WireguardConfig, logger: Logger): Promise<LimitKeeper> {
  const { mode, enforcement, interface: interfaceName, maxFlows } = config;
  if (mode === "in-memory") return noLimits;
  if (enforcement === "daemon") {
    // Limits of a former start would run out with nobody to renew them. Where nft fails there are none.
    await removeNftLimits({ interfaceName }).catch(() => undefined);
    return noLimits;
  }
  const trouble = await nftTrouble({ interfaceName, maxFlows });
  if (trouble === undefined) return createLimitKeeper(createNftLimits({ interfaceName, maxFlows }), logger);
  if (enforcement === "kernel") {
    throw new StartRefused(`wireguard.enforcement is "kernel", but ${trouble.message}`, 78);
  }
  logger.warn(
    { event: "limits-by-daemon" },
    `${trouble.message}; until then the daemon holds tunnels to their limits, while it runs`,
  );
  return noLimits;
}
