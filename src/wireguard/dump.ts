import { isWireguardKey } from "../protocol/wireguard-key.ts";
import type { InterfaceView, SeenPeer } from "../tunnels/ports.ts";

/** `undefined` when the first line is not an interface's. */
export type DumpReader = (text: string) => InterfaceView | undefined;

/** What a peer's line said last, as far as it is kept. */
interface ReadPeer {
  tail: string;
  peer: SeenPeer;
}

/**
 * Reads `wg show <if> dump` (wg(8)): one line for the interface (private key, public key, port, fwmark), one
 * for each peer (public key, preshared key, endpoint, allowed IPs, handshake, received, sent, keepalive).
 * Private key, preshared keys and endpoints are not kept. Lines that cannot be a peer are skipped. A peer whose line
 * says what it said in the dump before is the same object, as its addresses are: of ten thousand most are idle.
 */
export function createDumpReader(): DumpReader {
  const known = new Map<string, ReadPeer>();

  function readPeer(line: string): SeenPeer | undefined {
    const publicKey = line.slice(0, line.indexOf("\t"));
    const tail = line.slice(tailOf(line));
    const before = known.get(publicKey);
    if (before?.tail === tail) return before.peer;
    const peer = parsePeer(own(publicKey), own(tail), before?.peer);
    if (peer === undefined) return undefined;
    known.set(peer.publicKey, { tail: own(tail), peer });
    return peer;
  }

  function forgetAllBut(peers: readonly SeenPeer[]): void {
    if (known.size === peers.length) return;
    const here = new Set(peers.map(({ publicKey }) => publicKey));
    for (const publicKey of known.keys()) if (!here.has(publicKey)) known.delete(publicKey);
  }

  return (text) => {
    const [head = "", ...lines] = text.split("\n");
    const [, publicKey, listenPort, fwmark] = head.split("\t");
    if (publicKey === undefined || listenPort === undefined || fwmark === undefined) return undefined;
    const peers = lines.map(readPeer).filter((peer) => peer !== undefined);
    forgetAllBut(peers);
    return {
      publicKey: isWireguardKey(publicKey) ? publicKey : "",
      listenPort: count(listenPort) ?? 0,
      peers,
    };
  };
}

/** One dump alone. */
export function parseDump(text: string): InterfaceView | undefined {
  return createDumpReader()(text);
}

/** Where the allowed IPs begin: behind key, preshared key and endpoint. */
function tailOf(line: string): number {
  let at = 0;
  for (let field = 0; field < 3; field += 1) {
    at = line.indexOf("\t", at) + 1;
    if (at === 0) return line.length;
  }
  return at;
}

function parsePeer(publicKey: string, tail: string, before: SeenPeer | undefined): SeenPeer | undefined {
  const [allowedIps = "", handshake = "", received = "", sent = ""] = tail.split("\t");
  const lastHandshakeAt = count(handshake);
  const receivedBytes = count(received);
  const sentBytes = count(sent);
  if (!isWireguardKey(publicKey) || lastHandshakeAt === undefined) return undefined;
  if (receivedBytes === undefined || sentBytes === undefined) return undefined;
  const addresses = list(allowedIps);
  const stay = before?.allowedIps.join() === addresses.join();
  return {
    publicKey,
    allowedIps: stay ? (before?.allowedIps ?? []) : addresses,
    receivedBytes,
    sentBytes,
    lastHandshakeAt,
  };
}

function list(field: string): string[] {
  return field === "(none)" || field === "" ? [] : field.split(",");
}

function count(field: string): number | undefined {
  if (!/^[0-9]{1,20}$/.test(field)) return undefined;
  return Math.min(Number(field), Number.MAX_SAFE_INTEGER);
}

/** A piece of a string keeps all of it in memory, endpoints and megabytes: a copy does not. */
function own(piece: string): string {
  return Buffer.from(piece).toString();
}
