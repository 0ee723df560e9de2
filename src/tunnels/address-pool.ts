import type { Book } from "../db/open-book.ts";
import { companionOf, withIpv6 } from "./both-families.ts";
import { type AddressRange, cidrRange, inSubnet, parseIpv4, type Subnet, subnetAddresses } from "./subnet.ts";

/** In one sale's transaction. */
const MOST_PASSED_OVER = 100;

export type AddressPool = ReturnType<typeof createAddressPool>;

/**
 * Which address a new session gets: in today's subnet, nobody's (in the book and on the interface), past its hold,
 * and the one unused for longest. Addresses outside the subnet stay with their sessions and are not handed out again.
 */
export function createAddressPool(book: Book, subnet: Subnet, subnet6?: string) {
  let foreign: readonly AddressRange[] = [];

  const seed = book.prepare("INSERT INTO pool_addresses (assigned_ip) VALUES (?)");
  book.transaction(() => {
    const known = new Set(book.prepare("SELECT assigned_ip FROM pool_addresses").pluck().iterate());
    for (const address of subnetAddresses(subnet)) if (!known.has(address)) seed.run(address);
  })();

  const free = book.prepare<[number], FreeAddress>(
    `SELECT assigned_ip, last_used_at FROM pool_addresses p WHERE held_until <= ?
       AND NOT EXISTS (SELECT 1 FROM sessions s
         WHERE s.assigned_ip = p.assigned_ip AND s.status IN ('pending', 'active'))
       AND NOT EXISTS (SELECT 1 FROM departing_peers d WHERE d.assigned_ip = p.assigned_ip)
     ORDER BY last_used_at, rowid`,
  );
  const use = book.prepare("UPDATE pool_addresses SET last_used_at = ? WHERE assigned_ip = ?");
  const useThoseBefore = book.prepare(
    `UPDATE pool_addresses SET last_used_at = ? WHERE rowid IN (SELECT rowid FROM pool_addresses
       WHERE last_used_at < ? ORDER BY last_used_at LIMIT ${MOST_PASSED_OVER})`,
  );
  const byUse = book.prepare<[], { assigned_ip: string }>(
    "SELECT assigned_ip FROM pool_addresses ORDER BY last_used_at, rowid",
  );
  const hold = book.prepare(
    "UPDATE pool_addresses SET last_used_at = ?, held_until = ? WHERE assigned_ip = ?",
  );

  function* available(now: number): Generator<FreeAddress> {
    for (const each of free.iterate(now)) {
      if (inSubnet(subnet, each.assigned_ip) && !isForeign(each.assigned_ip)) yield each;
    }
  }

  function isForeign(address: string): boolean {
    const number = parseIpv4(address) ?? -1;
    return foreign.some((range) => number >= range.from && number <= range.to);
  }

  function companyRange(cidr: string): AddressRange | undefined {
    const [address6 = "", bits = "128"] = cidr.split("/");
    const address = Number(bits) < 96 ? undefined : companionOf(subnet6, address6);
    return address === undefined ? undefined : cidrRange(`${address}/${Number(bits) - 96}`);
  }

  return {
    size: subnet.last - subnet.first + 1,
    contains: (address: string) => inSubnet(subnet, address),
    /** All that a session of this address has on the interface: the address, and its company in IPv6. */
    inBoth: withIpv6(subnet6),
    /** The IPv4 addresses that nobody else can have beside who holds this network; of IPv6, those whose company is in it. */
    rangeOf: (cidr: string): AddressRange | undefined => cidrRange(cidr) ?? companyRange(cidr),
    /** Held by a peer that the book does not know. */
    isForeign,
    /**
     * Takes a free address; the caller pins it in the same transaction. Those passed over are in use still: they fall
     * behind, so that the next sale does not pass all of them again.
     */
    take(now: number): string | undefined {
      const [first] = available(now);
      if (first === undefined) return undefined;
      useThoseBefore.run(now, first.last_used_at);
      use.run(now, first.assigned_ip);
      return first.assigned_ip;
    },
    /** How many are free, counted up to `most`. */
    countFree(now: number, most: number): number {
      let count = 0;
      for (const _ of available(now)) {
        count++;
        if (count >= most) break;
      }
      return count;
    },
    /** Those next in line come last from now on: in a restored book they are the ones that may be given already. */
    turnAround(now: number): void {
      for (const [place, { assigned_ip }] of byUse.all().entries()) use.run(now - place, assigned_ip);
    },
    hold: (address: string, now: number, until: number) => void hold.run(now, until, address),
    /** Addresses on the interface held by peers that the book does not know: never handed out. */
    setForeign(ranges: readonly AddressRange[]): void {
      foreign = ranges.filter((range) => !isEverything(range));
    },
  };
}

interface FreeAddress {
  assigned_ip: string;
  last_used_at: number;
}

/** `0.0.0.0/0` is a default route, not a holder of addresses: WireGuard sends to the longest prefix that fits. */
function isEverything({ from, to }: AddressRange): boolean {
  return from === 0 && to === 2 ** 32 - 1;
}
