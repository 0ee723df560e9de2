import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { InterfaceView, PeerChange } from "./ports.ts";
import { type BookedPeers, compare, type Difference } from "./reconcile.ts";

const seen = (publicKey: string, ...allowedIps: string[]) => ({
  publicKey,
  allowedIps,
  receivedBytes: 0,
  sentBytes: 0,
  lastHandshakeAt: 0,
});
const view = (...peers: ReturnType<typeof seen>[]): InterfaceView => ({
  publicKey: "server",
  listenPort: 1,
  peers,
});
const booked = (parts: Partial<BookedPeers>): BookedPeers => ({
  desired: [],
  pendingKeys: [],
  departingKeys: [],
  ...parts,
});

/** What `wg` makes of a change: removals first, an address goes to whoever is set with it last. */
function applied({ peers, ...rest }: InterfaceView, { set, remove }: PeerChange): InterfaceView {
  let now = peers.filter((peer) => !remove.includes(peer.publicKey));
  for (const { publicKey, addresses } of set) {
    const allowedIps = addresses.map((address) => `${address}/32`);
    now = now.map((peer) => ({
      ...peer,
      allowedIps: peer.allowedIps.filter((ip) => !allowedIps.includes(ip)),
    }));
    const others = now.filter((peer) => peer.publicKey !== publicKey);
    now = [...others, seen(publicKey, ...allowedIps)];
  }
  return { ...rest, peers: now };
}

describe("compare", () => {
  it("puts up what is missing or differs, and leaves what is right", () => {
    const desired = [
      { publicKey: "missing", addresses: ["10.0.0.2"] },
      { publicKey: "other", addresses: ["10.0.0.3"] },
      { publicKey: "more", addresses: ["10.0.0.4"] },
      { publicKey: "right", addresses: ["10.0.0.5", "10.0.0.6"] },
    ];
    const now = view(
      seen("other", "10.0.0.9/32"),
      seen("more", "10.0.0.4/32", "10.0.0.7/32"),
      seen("right", "10.0.0.6/32", "10.0.0.5/32"),
    );
    const { change } = compare(now, booked({ desired }), false);
    expect(change.set.map((peer) => peer.publicKey)).toEqual(["missing", "other", "more"]);
    expect(change.remove).toEqual([]);
  });

  it("takes off who departs, and says who has gone", () => {
    const found = compare(
      view(seen("there", "10.0.0.2/32")),
      booked({ departingKeys: ["there", "gone"] }),
      false,
    );
    expect(found).toEqual({
      change: { set: [], remove: ["there"] },
      goneKeys: ["gone"],
      foreign: [],
    });
  });

  it("of a key that departs from one address and stays with another, takes only the address", () => {
    const both = booked({ desired: [{ publicKey: "k", addresses: ["10.0.0.2"] }], departingKeys: ["k"] });
    const before = compare(view(seen("k", "10.0.0.2/32", "10.0.0.3/32")), both, false);
    expect(before.change).toEqual({ set: both.desired, remove: [] });
    expect(before.goneKeys).toEqual([]);
    expect(compare(view(seen("k", "10.0.0.2/32")), both, false).goneKeys).toEqual(["k"]);
    expect(compare(view(), both, false).goneKeys).toEqual(["k"]);
  });

  it("leaves pending and foreign keys alone, and reports the foreign ones", () => {
    const now = view(seen("pending", "10.0.0.2/32"), seen("foreign", "10.9.0.0/24", "fd00::2/128"));
    const found = compare(now, booked({ pendingKeys: ["pending"] }), false);
    expect(found.change).toEqual({ set: [], remove: [] });
    expect(found.foreign).toMatchObject([
      { publicKey: "foreign", allowedIps: ["10.9.0.0/24", "fd00::2/128"] },
    ]);
  });

  it("takes foreign keys off when the interface is ours alone, pending ones never", () => {
    const now = view(seen("pending", "10.0.0.2/32"), seen("foreign", "10.9.0.0/24"));
    expect(compare(now, booked({ pendingKeys: ["pending"] }), true).change.remove).toEqual(["foreign"]);
  });

  const keysOf = ({ foreign }: Difference) => foreign.map(({ publicKey }) => publicKey);

  it("finds nothing to do once its change was applied", () => {
    const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
    const last = fc.integer({ min: 2, max: 9 });
    const scene = fc.record({
      peers: fc.uniqueArray(fc.tuple(key, fc.uniqueArray(last, { maxLength: 3 })), { selector: ([k]) => k }),
      desired: fc.uniqueArray(fc.tuple(key, last), { selector: ([, n]) => n }),
      pendingKeys: fc.uniqueArray(key),
      departingKeys: fc.uniqueArray(key),
      exclusive: fc.boolean(),
    });
    fc.assert(
      fc.property(scene, ({ peers, desired, pendingKeys, departingKeys, exclusive }) => {
        const held = new Set<number>();
        const start = view(
          ...peers.map(([k, numbers]) => {
            const own = numbers.filter((n) => !held.has(n));
            for (const n of own) held.add(n);
            return seen(k, ...own.map((n) => `10.0.0.${n}/32`));
          }),
        );
        const byKey = new Map<string, string[]>();
        for (const [k, n] of desired) byKey.set(k, [...(byKey.get(k) ?? []), `10.0.0.${n}`]);
        const book = {
          desired: [...byKey].map(([publicKey, addresses]) => ({ publicKey, addresses })),
          pendingKeys,
          departingKeys,
        };
        const first = compare(start, book, exclusive);
        const after = applied(start, first.change);
        const again = compare(after, book, exclusive);
        expect(again.change).toEqual({ set: [], remove: [] });
        expect(new Set(again.goneKeys)).toEqual(new Set(departingKeys));
        if (!exclusive) expect(keysOf(again)).toEqual(expect.arrayContaining(keysOf(first)));
      }),
    );
  });
});
