import type { Book } from "../db/open-book.ts";
import type { AddressPool } from "./address-pool.ts";
import type { DesiredPeer } from "./ports.ts";
import { isUsable, textual } from "./session-row.ts";
import { parseIpv4 } from "./subnet.ts";

/** The peers that the book wants on the interface, and those that it wants off it. */
export function createDesiredStore(book: Book, pool: AddressPool) {
  const activePeers = book
    .prepare<[], [key: unknown, address: unknown]>(
      "SELECT client_identity, assigned_ip FROM sessions WHERE status = 'active'",
    )
    .raw();
  const activeAddresses = book.prepare<[string], { assigned_ip: string }>(
    "SELECT assigned_ip FROM sessions WHERE client_identity = ? AND status = 'active'",
  );
  const pendingKeys = book
    .prepare<[], [key: unknown]>("SELECT client_identity FROM sessions WHERE status = 'pending'")
    .raw();
  const departing = book.prepare<[], { public_key: string }>(
    "SELECT DISTINCT public_key FROM departing_peers",
  );

  return {
    /** One peer per key, with every address that the key's live sessions have. */
    desiredPeers(): DesiredPeer[] {
      const peers = new Map<string, DesiredPeer>();
      for (const row of activePeers.iterate()) {
        const [publicKey, address] = [textual(row[0]), textual(row[1])];
        if (!isUsable({ publicKey, address })) continue;
        const known = peers.get(publicKey);
        if (known) known.addresses.push(...pool.inBoth(address));
        else peers.set(publicKey, { publicKey, addresses: pool.inBoth(address) });
      }
      return [...peers.values()];
    },
    /** Of the key's live sessions, as `desiredPeers` has them. */
    addressesOf: (publicKey: string) =>
      activeAddresses
        .all(publicKey)
        .map((row) => row.assigned_ip)
        .filter((address) => parseIpv4(address) !== undefined)
        .flatMap(pool.inBoth),
    pendingKeys: () => pendingKeys.all().map(([key]) => textual(key)),
    departingKeys: () => departing.all().map((row) => row.public_key),
  };
}
