import { alone } from "./both-families.ts";
import type { DesiredPeer, InterfaceView, PeerChange, SeenPeer } from "./ports.ts";

/** What the book says of the keys on the interface. */
export interface BookedPeers {
  desired: readonly DesiredPeer[];
  /** Sales under way: neither put up nor taken off. */
  pendingKeys: readonly string[];
  /** Must go. */
  departingKeys: readonly string[];
}

export interface Difference {
  change: PeerChange;
  /** Departing keys that hold nothing on the interface any more that they must not. */
  goneKeys: string[];
  /** Peers on the interface that the book does not know. */
  foreign: SeenPeer[];
}

/** Compares the interface with the book. Pure; peers that the book does not know go only when `exclusive`. */
export function compare(
  view: Pick<InterfaceView, "peers">,
  booked: BookedPeers,
  exclusive: boolean,
): Difference {
  const seen = new Map(view.peers.map((peer) => [peer.publicKey, peer]));
  const desired = new Map(booked.desired.map((peer) => [peer.publicKey, peer]));
  const pendingKeys = new Set(booked.pendingKeys);
  const departing = booked.departingKeys.filter((key) => !desired.has(key));
  const departingKeys = new Set(departing);
  const foreign = view.peers.filter(
    ({ publicKey }) =>
      !desired.has(publicKey) && !pendingKeys.has(publicKey) && !departingKeys.has(publicKey),
  );
  const isAsDesired = ({ publicKey, addresses }: DesiredPeer) =>
    hasAddresses(seen.get(publicKey)?.allowedIps, addresses);
  /** A key may lose one session and keep another: then only the address departs. */
  const isGone = (key: string) => {
    const peer = desired.get(key);
    return !seen.has(key) || (peer !== undefined && isAsDesired(peer));
  };
  return {
    change: {
      set: booked.desired.filter((peer) => !isAsDesired(peer)),
      remove: [
        ...departing.filter((key) => seen.has(key)),
        ...(exclusive ? foreign.map((peer) => peer.publicKey) : []),
      ],
    },
    goneKeys: booked.departingKeys.filter(isGone),
    foreign,
  };
}

/** These and no others. */
export function hasAddresses(
  allowedIps: readonly string[] | undefined,
  addresses: readonly string[],
): boolean {
  if (allowedIps?.length !== addresses.length) return false;
  return addresses.every((address) => allowedIps.includes(alone(address)));
}
