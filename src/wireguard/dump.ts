import { isWireguardKey } from "../protocol/wireguard-key.ts";
import type { InterfaceView, SeenPeer } from "../tunnels/ports.ts";

/**
 * Reads `wg show <if> dump` (wg(8)): one line for the interface (private key, public key, port, fwmark), one
 * for each peer (public key, preshared key, endpoint, allowed IPs, handshake, received, sent, keepalive).
 * Private key, preshared keys and endpoints do not leave this function. Lines that cannot be a peer are
 * skipped. `undefined` when the first line is not an interface's.
 */
export function parseDump(text: string): InterfaceView | undefined {
  const [head = "", ...lines] = text.split("\n");
  const [, publicKey, listenPort, fwmark] = head.split("\t");
  if (publicKey === undefined || listenPort === undefined || fwmark === undefined) return undefined;
  return {
    publicKey: isWireguardKey(publicKey) ? publicKey : "",
    listenPort: count(listenPort) ?? 0,
    peers: lines.map(parsePeer).filter((peer) => peer !== undefined),
  };
}

function parsePeer(line: string): SeenPeer | undefined {
  const [publicKey = "", , , allowedIps, handshake = "", received = "", sent = ""] = line.split("\t");
  const lastHandshakeAt = count(handshake);
  const receivedBytes = count(received);
  const sentBytes = count(sent);
  if (!isWireguardKey(publicKey) || allowedIps === undefined) return undefined;
  if (lastHandshakeAt === undefined || receivedBytes === undefined || sentBytes === undefined)
    return undefined;
  return { publicKey, allowedIps: list(allowedIps), receivedBytes, sentBytes, lastHandshakeAt };
}

function list(field: string): string[] {
  return field === "(none)" || field === "" ? [] : field.split(",");
}

function count(field: string): number | undefined {
  if (!/^[0-9]{1,20}$/.test(field)) return undefined;
  return Math.min(Number(field), Number.MAX_SAFE_INTEGER);
}
