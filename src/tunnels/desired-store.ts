import type { Book } from "../db/open-book.ts";
import { isWireguardKey } from "../protocol/wireguard-key.ts";
import type { AddressPool } from "./address-pool.ts";
import type { DesiredPeer, SeenPeer } from "./ports.ts";
import { type BookedPeers, hasAddresses } from "./reconcile.ts";
import { isUsable, textual } from "./session-row.ts";
import { parseIpv4 } from "./subnet.ts";

/** The peers that the book wants on the interface, and those that it wants off it. */
export function createDesiredStore(book: Book, pool: AddressPool) {
  const activePeers = book
    .prepare<[], [key: unknown, address: unknown]>(
      "SELECT client_identity, assigned_ip FROM sessions WHERE status = 'active'",
    )
    .raw();
  const activeAddresses = book
    .prepare<[string], unknown>(
      "SELECT assigned_ip FROM sessions WHERE client_identity = ? AND status = 'active'",
    )
    .pluck();
  const pendingKeys = book
    .prepare<[], [key: unknown]>("SELECT client_identity FROM sessions WHERE status = 'pending'")
    .raw();
  const isPending = book.prepare(
    "SELECT 1 FROM sessions WHERE client_identity = ? AND status = 'pending' LIMIT 1",
  );
  const isDeparting = book.prepare("SELECT 1 FROM departing_peers WHERE public_key = ? LIMIT 1");
  const departing = book.prepare<[], { public_key: string }>(
    "SELECT DISTINCT public_key FROM departing_peers",
  );

  /** One peer per key, with every address that the key's live sessions have. */
  function desiredPeers(): DesiredPeer[] {
    const peers = new Map<string, DesiredPeer>();
    for (const row of activePeers.iterate()) {
      const [publicKey, address] = [textual(row[0]), textual(row[1])];
      if (!isUsable({ publicKey, address })) continue;
      const known = peers.get(publicKey);
      if (known) known.addresses.push(...pool.inBoth(address));
      else peers.set(publicKey, { publicKey, addresses: pool.inBoth(address) });
    }
    return [...peers.values()];
  }

  /** Of the key's live sessions, as `desiredPeers` has them. */
  function addressesOf(publicKey: string): string[] {
    return activeAddresses
      .all(publicKey)
      .map(textual)
      .filter((address) => parseIpv4(address) !== undefined)
      .flatMap(pool.inBoth);
  }

  const departingKeys = () => departing.all().map((row) => row.public_key);

  function bookedOf(keys: ReadonlySet<string>): BookedPeers {
    const all = [...keys];
    return {
      desired: all
        .filter(isWireguardKey)
        .map((publicKey) => ({ publicKey, addresses: addressesOf(publicKey) }))
        .filter(({ addresses }) => addresses.length > 0),
      pendingKeys: all.filter((key) => isPending.get(key)),
      departingKeys: all.filter((key) => isDeparting.get(key)),
    };
  }

  /** Every key but those that have one session, and of that just the peer they should. */
  function oddKeys(peers: ReadonlyMap<string, SeenPeer>): Set<string> {
    const odd = new Set<string>();
    const right = new Set<string>();
    for (const row of activePeers.iterate()) {
      const [publicKey, address] = [textual(row[0]), textual(row[1])];
      const peer = right.has(publicKey) ? undefined : peers.get(publicKey);
      const isRight =
        parseIpv4(address) !== undefined && hasAddresses(peer?.allowedIps, pool.inBoth(address));
      if (peer && isRight) right.add(peer.publicKey);
      else odd.add(publicKey);
    }
    for (const publicKey of peers.keys()) if (!right.has(publicKey)) odd.add(publicKey);
    return odd;
  }

  return {
    desiredPeers,
    oddKeys,
    addressesOf,
    departingKeys,
    /** What the book has, of these keys or of all. */
    booked: (keys?: ReadonlySet<string>): BookedPeers =>
      keys
        ? bookedOf(keys)
        : {
            desired: desiredPeers(),
            pendingKeys: pendingKeys.all().map(([key]) => textual(key)),
            departingKeys: departingKeys(),
          },
  };
}
