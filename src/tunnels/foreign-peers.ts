import type { AddressPool } from "./address-pool.ts";
import type { SeenPeer } from "./ports.ts";

/** Peers on the interface that the book does not know: their addresses are not handed out, their keys not sold (rule 18). */
export function createForeignPeers(pool: Pick<AddressPool, "rangeOf" | "setForeign">) {
  const foreign = new Map<string, SeenPeer>();

  return {
    /** Of these keys, or of all, those found are foreign and the others are not. */
    note(keys: ReadonlySet<string> | undefined, found: readonly SeenPeer[]): void {
      const former = keys ? [...keys].filter((key) => foreign.has(key)) : [...foreign.keys()];
      if (former.length + found.length === 0) return;
      for (const key of former) foreign.delete(key);
      for (const peer of found) foreign.set(peer.publicKey, peer);
      const networks = [...foreign.values()].flatMap(({ allowedIps }) => allowedIps);
      pool.setForeign(networks.flatMap((cidr) => pool.rangeOf(cidr) ?? []));
    },
    keys: () => foreign.keys(),
    has: (publicKey: string) => foreign.has(publicKey),
    peers: (): readonly SeenPeer[] => [...foreign.values()],
  };
}
