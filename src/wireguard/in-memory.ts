import {
  type Enforcement,
  EnforcementError,
  type InterfaceTrouble,
  type SeenPeer,
} from "../tunnels/ports.ts";
import { isAdmissible } from "./peer-guard.ts";

export interface InMemoryEnforcement extends Enforcement {
  /** Sets what the peer's counters read from now on, in bytes; throws when there is no such peer. */
  count(publicKey: string, receivedBytes: number, sentBytes: number): void;
  /** The interface is gone, and its peers with it. */
  takeDown(): void;
  /** It is back, without peers. */
  bringUp(): void;
}

const GONE: InterfaceTrouble = {
  code: "no-interface",
  message: "the in-memory interface was taken down; only a restart brings it back",
};

/** The contract of a WireGuard interface for machines that have none; it steals addresses as `wg` does. */
export function createInMemoryEnforcement(serverPubkey: string): InMemoryEnforcement {
  const peers = new Map<string, SeenPeer>();
  let up = true;

  function needInterface(): void {
    if (!up) throw new EnforcementError(GONE);
  }

  function admit(publicKey: string, addresses: string[]): void {
    const allowedIps = [...new Set(addresses.map((address) => `${address}/32`))];
    for (const peer of peers.values()) {
      peer.allowedIps = peer.allowedIps.filter((held) => !allowedIps.includes(held));
    }
    const known = peers.get(publicKey) ?? { receivedBytes: 0, sentBytes: 0, lastHandshakeAt: 0 };
    peers.set(publicKey, { ...known, publicKey, allowedIps });
  }

  return {
    async look() {
      needInterface();
      return { publicKey: serverPubkey, listenPort: 51820, peers: structuredClone([...peers.values()]) };
    },
    async apply(change) {
      needInterface();
      for (const publicKey of change.remove) peers.delete(publicKey);
      const admissible = change.set.filter((peer) => isAdmissible(peer, serverPubkey));
      for (const { publicKey, addresses } of admissible) admit(publicKey, addresses);
      const rejected = change.set.filter((peer) => !admissible.includes(peer));
      return { rejected: rejected.map((peer) => peer.publicKey) };
    },
    async trouble(view) {
      if (!up) return GONE;
      if (view.publicKey === serverPubkey) return undefined;
      return { code: "wrong-key", message: "the view is not of this in-memory interface" };
    },
    count(publicKey, receivedBytes, sentBytes) {
      const peer = peers.get(publicKey);
      if (peer === undefined) throw new Error("no such peer to count for");
      peers.set(publicKey, { ...peer, receivedBytes, sentBytes });
    },
    takeDown() {
      up = false;
      peers.clear();
    },
    bringUp() {
      up = true;
    },
  };
}
