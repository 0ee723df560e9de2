import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DATA_TIER_SECONDS } from "../protocol/price.ts";
import {
  firstPurchase,
  HOLD_SECONDS,
  newKey,
  openSessionBook,
  type SessionBook,
} from "../testing/session-book.ts";
import { createSessionStore } from "./session-store.ts";
import { cidrRange } from "./subnet.ts";
import { bytesLeft } from "./terms.ts";

const NOW = 1_800_000_000;
const HOUR = 3600;
const hour = { seconds: HOUR, bytes: 0 };
const megabyte = { seconds: 0, bytes: 1_000_000 };

let open: SessionBook;
let key: string;
beforeEach(async () => {
  open = await openSessionBook();
  key = newKey();
});
afterEach(() => open.close());

const session = (sessionId: string) => {
  const found = open.store.find(sessionId);
  if (!found) throw new Error("no such session");
  return found;
};
const reserve = (publicKey: string, now = NOW) => open.store.reserve(publicKey, firstPurchase, now) ?? "none";
/** The peer's counters, up and down, as the interface says them. */
function count(receivedBytes: number, sentBytes: number, since: number, now: number, publicKey = key): void {
  const peers = new Map([[publicKey, { publicKey, receivedBytes, sentBytes }]]);
  open.store.count({ peers, kernelCounts: new Map() }, since, now);
}
const left = (sessionId: string) => bytesLeft(session(sessionId).terms);

describe("a purchase", () => {
  it("pins an address without admitting anyone, then is up from its grant", () => {
    const id = reserve(key);
    expect(session(id)).toMatchObject({ status: "pending", address: "10.66.42.2", expiresAt: null });
    expect([open.store.desiredPeers(), open.store.booked().pendingKeys]).toEqual([[], [key]]);
    open.store.grant(id, hour, NOW + 90);
    expect(session(id)).toMatchObject({ status: "active", expiresAt: NOW + 90 + HOUR });
    expect(open.store.desiredPeers()).toEqual([{ publicKey: key, addresses: ["10.66.42.2"] }]);
  });

  it("of a live key extends its session in place", () => {
    const id = open.granted(key, hour, NOW);
    expect(reserve(key, NOW + 60)).toBe(id);
    open.store.grant(id, hour, NOW + 60);
    open.store.grant(id, megabyte, NOW + 60);
    expect(session(id)).toMatchObject({
      expiresAt: NOW + 60 + DATA_TIER_SECONDS,
      terms: { timeUntil: NOW + 2 * HOUR },
    });
    expect(left(id)).toBe(1_000_000);
  });

  it("has its rate in the book, with the sessions that it is added to", () => {
    const id = open.granted(key, { ...hour, rateMbit: 10 }, NOW);
    open.store.grant(id, { ...hour, rateMbit: 50 }, NOW);
    open.store.grant(id, { ...megabyte, rateMbit: 0.5 }, NOW);
    open.store.moveKey(id, newKey(), NOW, () => undefined);
    expect(session(id).terms).toMatchObject({
      timeRates: [
        { until: NOW + HOUR, rateMbit: 50 },
        { until: NOW + 2 * HOUR, rateMbit: 10 },
      ],
      dataRates: [{ until: 1_000_000, rateMbit: 0.5 }],
    });
  });

  it("is held to the rate of the moment, and to the default where none was bought", () => {
    const store = createSessionStore(open.book, open.pool, HOLD_SECONDS, 20);
    const id = open.granted(key, hour, NOW);
    store.grant(id, { ...hour, rateMbit: 50 }, NOW);
    store.grant(id, { ...hour, rateMbit: 5 }, NOW);
    const rates = [0, 1, 2].map((hours) => store.limit(id, (NOW + hours * HOUR) * 1000).rateMbit);
    expect(rates).toEqual([50, 20, 5]);
    expect(open.store.limit(id, (NOW + HOUR) * 1000).rateMbit).toBeNull();
    expect(store.limitWith(id, { ...hour, rateMbit: 100 }, NOW, NOW * 1000).rateMbit).toBe(100);
  });

  it("of 50 strangers at once gives 50 addresses", () => {
    const ids = Array.from({ length: 50 }, () => reserve(newKey()));
    expect(new Set(ids.map((id) => session(id).address)).size).toBe(50);
  });

  it("lands in the columns that the old table has", () => {
    const id = open.granted(key, hour, NOW);
    expect(open.book.prepare("SELECT * FROM sessions WHERE session_id = ?").get(id)).toMatchObject({
      protocol: "wireguard",
      client_identity: key,
      purchased_at: NOW,
      expires_at: NOW + HOUR,
      price_amount: 100,
      price_unit: "hour",
      payment_method: "cashu",
      status: "active",
      listing_d_tag: "my-vpn",
    });
  });
});

describe("letting go", () => {
  it("of a session that never ran leaves no trace, once no open sale holds it", () => {
    const id = reserve(key);
    const [first, second] = [open.sale(id), open.sale(id)];
    open.saleEnds(first, "released");
    open.store.unpin(id, NOW);
    expect(session(id).status).toBe("pending");
    open.saleEnds(second, "released");
    open.store.unpin(id, NOW);
    expect(open.store.find(id)).toBeUndefined();
    expect(open.book.prepare("SELECT count(*) FROM session_terms").pluck().get()).toBe(0);
  });

  it("of a live session does nothing", () => {
    const id = open.granted(key, hour, NOW);
    open.store.unpin(id, NOW);
    expect(session(id).status).toBe("active");
  });
});

describe("an end", () => {
  it("comes to the second, and to nobody else", () => {
    const id = open.granted(key, hour, NOW);
    const other = open.granted(newKey(), { seconds: HOUR + 1, bytes: 0 }, NOW);
    expect(open.store.endDue(NOW + HOUR - 1)).toEqual([]);
    expect(open.store.endDue(NOW + HOUR)).toEqual([{ sessionId: id, cause: "time" }]);
    expect(session(id)).toMatchObject({ status: "expired", endedAt: NOW + HOUR });
    expect(session(other).status).toBe("active");
    expect(open.store.departingKeys()).toEqual([key]);
  });

  it("comes when the data is used up, up and down counted", () => {
    const id = open.granted(key, megabyte, NOW);
    count(600_000, 399_999, NOW, NOW + 10);
    expect(open.store.endDue(NOW + 10)).toEqual([]);
    count(600_001, 399_999, NOW + 10, NOW + 20);
    expect(open.store.endDue(NOW + 20)).toEqual([{ sessionId: id, cause: "data" }]);
    expect(session(id).expiresAt).toBe(NOW + 20);
  });

  it("leaves the address to an open sale, past end and hold", () => {
    const id = open.granted(key, hour, NOW);
    const sale = open.sale(id);
    open.store.endDue(NOW + HOUR);
    expect(session(id).status).toBe("pending");
    open.store.readBackAsGone([key]);
    const late = NOW + HOUR + 10 * HOLD_SECONDS;
    for (let n = 0; n < 252; n++) open.granted(newKey(), hour, late);
    expect(open.store.reserve(newKey(), firstPurchase, late)).toBeUndefined();
    open.store.grant(id, hour, late);
    expect(session(id)).toMatchObject({
      status: "active",
      address: "10.66.42.2",
      expiresAt: late + HOUR,
      endedAt: null,
    });
    open.saleEnds(sale, "granted");
  });

  it("stays an end when the open sale fails: the hold is the one of the end", () => {
    const id = open.granted(key, hour, NOW);
    const sale = open.sale(id);
    open.store.endDue(NOW + HOUR);
    open.store.readBackAsGone([key]);
    open.saleEnds(sale, "released");
    open.store.unpin(id, NOW + HOUR + 100);
    expect(session(id)).toMatchObject({ status: "expired", endedAt: NOW + HOUR });
    expect(open.store.departingKeys()).toEqual([]);
    expect(open.store.findByKey(key, NOW + HOUR + HOLD_SECONDS - 1)?.sessionId).toBe(id);
    expect(open.pool.countFree(NOW + HOUR + HOLD_SECONDS - 1, 999)).toBe(252);
    expect(open.pool.countFree(NOW + HOUR + HOLD_SECONDS, 999)).toBe(253);
  });
});

describe("a late renewal", () => {
  it("gets its session and address back within the hold", () => {
    const id = open.granted(key, hour, NOW);
    open.store.endDue(NOW + HOUR);
    open.store.readBackAsGone([key]);
    const late = NOW + HOUR + HOLD_SECONDS - 1;
    expect(reserve(key, late)).toBe(id);
    open.store.grant(id, hour, late);
    expect(session(id)).toMatchObject({ status: "active", address: "10.66.42.2", expiresAt: late + HOUR });
  });

  it("gets another one after it", () => {
    const id = open.granted(key, hour, NOW);
    open.store.endDue(NOW + HOUR);
    open.store.readBackAsGone([key]);
    const again = reserve(key, NOW + HOUR + HOLD_SECONDS);
    expect(again).not.toBe(id);
    expect(session(again).address).toBe("10.66.42.3");
  });

  it("goes on with its peer as long as that was not read back as gone", () => {
    const id = open.granted(key, megabyte, NOW);
    count(1_000_000, 0, NOW, NOW + 10);
    open.store.endDue(NOW + 10);
    const late = NOW + 10 + 2 * HOLD_SECONDS;
    expect(reserve(key, late)).toBe(id);
    open.store.grant(id, megabyte, late);
    count(1_000_300, 0, late, late + 5);
    expect(left(id)).toBe(1_000_000 - 300);
  });

  it("gets another address when a peer unknown to the book took its own", () => {
    const id = open.granted(key, hour, NOW);
    open.store.endDue(NOW + HOUR);
    open.store.readBackAsGone([key]);
    open.pool.setForeign([cidrRange("10.66.42.2/32") ?? { from: 0, to: 0 }]);
    const again = reserve(key, NOW + HOUR + 1);
    expect(again).not.toBe(id);
    expect(session(again).address).toBe("10.66.42.3");
  });
});

describe("traffic", () => {
  it("is added up when counters begin anew", () => {
    const id = open.granted(key, megabyte, NOW);
    count(1000, 500, NOW, NOW + 5);
    count(1000, 500, NOW + 5, NOW + 10);
    count(200, 100, NOW + 10, NOW + 15);
    expect(left(id)).toBe(1_000_000 - 1500 - 300);
  });

  it("is counted from zero where we put the peer back, and lost by nobody else", () => {
    const id = open.granted(key, megabyte, NOW);
    count(1000, 500, NOW, NOW + 5);
    open.store.countersRestarted([key]);
    count(3000, 0, NOW + 5, NOW + 10);
    expect(left(id)).toBe(1_000_000 - 1500 - 3000);
  });

  it("is counted from zero for a renewal whose peer was seen as gone", () => {
    const id = open.granted(key, megabyte, NOW);
    count(1_000_000, 0, NOW, NOW + 5);
    open.store.endDue(NOW + 5);
    open.store.readBackAsGone([key]);
    reserve(key, NOW + 10);
    open.store.grant(id, megabyte, NOW + 10);
    count(1_000_100, 0, NOW + 10, NOW + 20);
    expect(session(id).terms.usedBytes).toBe(1_000_000 + 1_000_100);
  });

  it("costs no data while time runs", () => {
    const id = open.granted(key, megabyte, NOW);
    open.store.grant(id, hour, NOW);
    count(5_000_000, 0, NOW, NOW + HOUR + 4);
    expect(left(id)).toBe(1_000_000);
    count(5_000_400, 0, NOW + HOUR, NOW + HOUR + 5);
    expect(left(id)).toBe(999_600);
  });
});

describe("a move to another key", () => {
  it("keeps time and address; the old key has to go, the counters are the new peer's", () => {
    const id = open.granted(key, megabyte, NOW);
    count(400, 0, NOW, NOW + 5);
    const next = newKey();
    const written: string[] = [];
    open.store.moveKey(id, next, NOW + 9, () => void written.push("commit"));
    expect(written).toEqual(["commit"]);
    expect(session(id)).toMatchObject({ publicKey: next, address: "10.66.42.2", lastReceivedBytes: 0 });
    expect(open.store.departingKeys()).toEqual([key]);
    expect(open.store.findByKey(key, NOW + 9)).toBeUndefined();
    count(50, 0, NOW + 9, NOW + 10, next);
    expect(left(id)).toBe(1_000_000 - 450);
  });

  it("does not happen when what belongs to it cannot be written", () => {
    const id = open.granted(key, hour, NOW);
    const fail = () => {
      throw new Error("disk");
    };
    expect(() => open.store.moveKey(id, newKey(), NOW, fail)).toThrow("disk");
    expect([session(id).publicKey, open.store.departingKeys()]).toEqual([key, []]);
  });
});

describe("forgetting", () => {
  it("takes a key out of the book once its peer is gone and its hold is past", () => {
    const id = open.granted(key, hour, NOW);
    open.store.endDue(NOW + HOUR);
    expect(open.store.forgetKeys(NOW + HOUR + HOLD_SECONDS)).toBe(0);
    open.store.readBackAsGone([key]);
    expect(open.store.forgetKeys(NOW + HOUR + HOLD_SECONDS - 1)).toBe(0);
    expect(open.store.forgetKeys(NOW + HOUR + HOLD_SECONDS)).toBe(1);
    expect(session(id).publicKey).toBe("");
    expect(open.store.forgetKeys(NOW + HOUR + HOLD_SECONDS)).toBe(0);
  });
});
