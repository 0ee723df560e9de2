import { isIP } from "node:net";
import { checkClientKey } from "../protocol/wireguard-key.ts";
import type { DesiredPeer } from "../tunnels/ports.ts";

/**
 * Whether a peer may be handed to `wg` (rule 17). `wg` takes the interface's own key and a zero key with exit
 * code 0 and ignores them, so asking it would prove nothing.
 */
export function isAdmissible({ publicKey, addresses }: DesiredPeer, serverPubkey: string): boolean {
  try {
    checkClientKey(publicKey, serverPubkey);
  } catch {
    return false;
  }
  return addresses.length > 0 && addresses.every((address) => isIP(address) !== 0 && !address.includes("%"));
}

/** Rule 22, and the two words that `wg show` takes for something else than a name. */
export function isInterfaceName(name: string): boolean {
  if (name === "all" || name === "interfaces" || name === "." || name === "..") return false;
  return /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$/.test(name);
}
