import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  firstPurchase,
  HOLD_SECONDS,
  newKey,
  openSessionBook,
  type SessionBook,
} from "../testing/session-book.ts";
import { createAddressPool } from "./address-pool.ts";
import { cidrRange, parseSubnet } from "./subnet.ts";

const NOW = 1_800_000_000;
const hour = { seconds: 3600, bytes: 0 };

let open: SessionBook;
beforeEach(async () => {
  open = await openSessionBook("10.66.42.0/29");
});
afterEach(() => open.close());

const addressOf = (sessionId: string) => open.store.find(sessionId)?.address;
const range = (cidr: string) => {
  const found = cidrRange(cidr);
  if (!found) throw new Error("no range");
  return found;
};
/** Buys, ends, and lets the peer be seen as gone. */
function passThrough(now: number): string | undefined {
  const key = newKey();
  const sessionId = open.granted(key, hour, now);
  open.store.endDue(now + 3600);
  open.store.readBackAsGone([key]);
  return addressOf(sessionId);
}

describe("the pool", () => {
  it("hands every address out once, and then none", () => {
    const taken = Array.from({ length: 5 }, () => addressOf(open.granted(newKey(), hour, NOW)));
    expect(taken).toEqual(["10.66.42.2", "10.66.42.3", "10.66.42.4", "10.66.42.5", "10.66.42.6"]);
    expect(open.store.reserve(newKey(), firstPurchase, NOW)).toBeUndefined();
    expect(open.pool.countFree(NOW, 10)).toBe(0);
  });

  it("hands out first what was unused for longest", () => {
    const order = [0, 1, 2, 3, 4, 5, 6].map((n) => passThrough(NOW + n * 10_000));
    expect(order).toEqual(["2", "3", "4", "5", "6", "2", "3"].map((last) => `10.66.42.${last}`));
  });

  it("passes over what is in use once, not at every sale", () => {
    const living = [0, 1].map(() => addressOf(open.granted(newKey(), { seconds: 86_400, bytes: 0 }, NOW)));
    for (let n = 0; n < 3; n++) passThrough(NOW + n);
    const line = open.book
      .prepare("SELECT assigned_ip FROM pool_addresses ORDER BY last_used_at, rowid")
      .pluck();
    expect(line.all().slice(0, 2)).toEqual(living);
    expect(passThrough(NOW + 10_000)).toBe("10.66.42.4");
    expect(line.all().slice(0, 2)).toEqual(["10.66.42.5", "10.66.42.6"]);
  });

  it("holds an address after its session's end, to the second", () => {
    const key = newKey();
    open.granted(key, hour, NOW);
    for (let n = 0; n < 4; n++) open.granted(newKey(), { seconds: 86_400, bytes: 0 }, NOW);
    open.store.endDue(NOW + 3600);
    open.store.readBackAsGone([key]);
    expect(open.pool.countFree(NOW + 3600 + HOLD_SECONDS - 1, 9)).toBe(0);
    expect(open.pool.take(NOW + 3600 + HOLD_SECONDS)).toBe("10.66.42.2");
  });

  it("waits for the former peer to be read back as gone, however long", () => {
    const key = newKey();
    open.granted(key, hour, NOW);
    for (let n = 0; n < 4; n++) open.granted(newKey(), { seconds: 86_400 * 9, bytes: 0 }, NOW);
    open.store.endDue(NOW + 3600);
    expect(open.pool.countFree(NOW + 86_400, 9)).toBe(0);
    open.store.readBackAsGone([key]);
    expect(open.pool.countFree(NOW + 86_400, 9)).toBe(1);
  });

  it("leaves out what peers unknown to the book hold", () => {
    open.pool.setForeign([range("10.66.42.4/30"), range("10.66.42.2/32"), range("0.0.0.0/0")]);
    expect(open.pool.countFree(NOW, 9)).toBe(1);
    expect(open.pool.take(NOW)).toBe("10.66.42.3");
    expect([open.pool.isForeign("10.66.42.5"), open.pool.isForeign("10.66.42.3")]).toEqual([true, false]);
    open.pool.setForeign([]);
    expect(open.pool.countFree(NOW, 2)).toBe(2);
  });

  it("knows by an IPv6 address, or a network of few, whose company it is", () => {
    const pool = createAddressPool(open.book, parseSubnet("10.66.42.0/29"), "fd66:42::/64");
    expect(pool.rangeOf("fd66:42::a42:2a02/128")).toEqual(range("10.66.42.2/32"));
    expect(pool.rangeOf("fd66:42::a42:2a04/126")).toEqual(range("10.66.42.4/30"));
    expect(pool.rangeOf("10.66.42.3/32")).toEqual(range("10.66.42.3/32"));
    for (const cidr of ["fd66:42::/64", "::/0", "fd66:43::a42:2a02/128"])
      expect(pool.rangeOf(cidr)).toBeUndefined();
  });

  it("hands out nothing outside today's subnet, and remembers what it held in there", () => {
    const former = open.granted(newKey(), hour, NOW);
    const moved = createAddressPool(open.book, parseSubnet("10.7.0.0/30"));
    expect(addressOf(former)).toBe("10.66.42.2");
    expect([moved.size, moved.countFree(NOW, 9), moved.take(NOW)]).toEqual([1, 1, "10.7.0.2"]);
    expect([moved.contains("10.7.0.2"), moved.contains("10.66.42.2")]).toEqual([true, false]);
  });
});

it("finds the last free addresses of a /16", async () => {
  const wide = await openSessionBook("10.70.0.0/16");
  wide.book.exec(`
    INSERT INTO sessions (session_id, protocol, client_identity, assigned_ip, purchased_at, price_amount,
        price_currency, price_unit, payment_method, status, listing_d_tag)
      SELECT 's' || assigned_ip, 'wireguard', 'k' || assigned_ip, assigned_ip, 0, 1, 'sat', 'hour', 'cashu', 'active', 'd'
        FROM pool_addresses WHERE assigned_ip NOT LIKE '10.70.99.%';
    INSERT INTO session_terms (session_id, time_until) SELECT session_id, 2000000000 FROM sessions;
    UPDATE pool_addresses SET last_used_at = iif(assigned_ip LIKE '10.70.99.%', 9, 5);
  `);
  for (let n = 0; n < 5; n++) expect(wide.store.reserve(newKey(), firstPurchase, NOW)).toBeDefined();
  await wide.close();
});
