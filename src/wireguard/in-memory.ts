import { alone } from "../tunnels/both-families.ts";
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
  /** By allowed IP, the key that has it. */
  const holders = new Map<string, string>();
  let up = true;

  function needInterface(): void {
    if (!up) throw new EnforcementError(GONE);
  }

  function admit(publicKey: string, addresses: string[]): void {
    const allowedIps = [...new Set(addresses.map(alone))];
    if (peers.get(publicKey)?.allowedIps.join() === allowedIps.join()) return;
    for (const taken of allowedIps) letGo(taken);
    for (const former of peers.get(publicKey)?.allowedIps ?? []) holders.delete(former);
    const known = peers.get(publicKey) ?? { receivedBytes: 0, sentBytes: 0, lastHandshakeAt: 0 };
    peers.set(publicKey, { ...known, publicKey, allowedIps });
    for (const held of allowedIps) holders.set(held, publicKey);
  }

  function letGo(allowedIp: string): void {
    const holder = peers.get(holders.get(allowedIp) ?? "");
    if (holder === undefined) return;
    const allowedIps = holder.allowedIps.filter((held) => held !== allowedIp);
    peers.set(holder.publicKey, { ...holder, allowedIps });
  }

  function remove(publicKey: string): void {
    for (const held of peers.get(publicKey)?.allowedIps ?? []) holders.delete(held);
    peers.delete(publicKey);
  }

  return {
    async look() {
      needInterface();
      return { publicKey: serverPubkey, listenPort: 51820, peers: [...peers.values()] };
    },
    async apply(change) {
      needInterface();
      for (const publicKey of change.remove) remove(publicKey);
      const rejected: string[] = [];
      for (const peer of change.set) {
        if (isAdmissible(peer, serverPubkey)) admit(peer.publicKey, peer.addresses);
        else rejected.push(peer.publicKey);
      }
      return { rejected };
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
      holders.clear();
    },
    bringUp() {
      up = true;
    },
  };
}
