import { generateKeyPairSync } from "node:crypto";
import type { Logger } from "pino";
import type { WireguardConfig } from "../config/types.ts";
import type { Enforcement } from "../tunnels/ports.ts";
import { createInMemoryEnforcement } from "../wireguard/in-memory.ts";
import { createKernelEnforcement } from "../wireguard/kernel.ts";
import { rawPublicKey } from "../wireguard/public-key.ts";
import { collidingRoutes } from "../wireguard/route-collision.ts";
import { StartRefused } from "./start-refused.ts";

/** The interface as configured, and the key that buyers' configs name. In memory a key may be made up. */
export function chooseEnforcement(config: WireguardConfig): {
  enforcement: Enforcement;
  serverPublicKey: string;
} {
  const { mode, serverPubkey, subnetCidr, subnet6 } = config;
  if (mode === "in-memory") {
    const serverPublicKey = serverPubkey ?? madeUpPublicKey();
    return { enforcement: createInMemoryEnforcement(serverPublicKey), serverPublicKey };
  }
  if (serverPubkey === undefined) throw new StartRefused("wireguard.server_pubkey is missing", 78);
  const enforcement = createKernelEnforcement({
    interfaceName: config.interface,
    serverPubkey,
    subnetCidr,
    subnet6,
  });
  return { enforcement, serverPublicKey: serverPubkey };
}

/** A subnet that the host routes elsewhere is worth a word, not a refusal: the operator may know better. */
export async function warnOfCollisions(config: WireguardConfig, logger: Logger): Promise<void> {
  if (config.mode === "in-memory") return;
  const routes = await collidingRoutes(config.interface, config.subnetCidr);
  if (routes === undefined || routes.length === 0) return;
  logger.warn(
    { event: "subnet-collision", routes },
    `wireguard.subnet_cidr ${config.subnetCidr} overlaps routes of this host; choose another subnet`,
  );
}

function madeUpPublicKey(): string {
  const { publicKey } = generateKeyPairSync("x25519");
  return rawPublicKey(publicKey);
}
