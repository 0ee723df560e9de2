import { afterEach, describe, expect, it } from "vitest";
import { DATA_TIER_SECONDS } from "../protocol/price.ts";
import { buildOldDatabase, type OldRow } from "../testing/old-database.ts";
import {
  firstPurchase,
  HOLD_SECONDS,
  newKey,
  openSessionBook,
  type SessionBook,
} from "../testing/session-book.ts";
import { bytesLeft, noTerms } from "./terms.ts";

const NOW = 1_800_000_000;
const DAY = 86_400;
const GIB = 2 ** 30;

let open: SessionBook;
afterEach(() => open.close());

async function adopt(...rows: OldRow[]): Promise<{ unusable: string[]; outside: string[] }> {
  open = await openSessionBook("10.66.42.0/24", (path) => buildOldDatabase(path, rows));
  return open.store.adoptOldRows(NOW);
}
const active = (session_id: string, last: number, parts: Partial<OldRow> = {}): OldRow => ({
  session_id,
  client_identity: newKey(),
  assigned_ip: `10.66.42.${last}`,
  status: "active",
  ...parts,
});
const find = (sessionId: string) => open.store.find(sessionId);
/** Ordered by address; the store gives them in no order. */
const peers = () =>
  open.store
    .desiredPeers()
    .map(({ publicKey, addresses }) => ({ publicKey, addresses: [...addresses].sort() }))
    .sort((a, b) => ((a.addresses[0] ?? "") < (b.addresses[0] ?? "") ? -1 : 1));
const endings = (now: number) => open.store.endDue(now).map(({ sessionId }) => sessionId);

describe("running sessions of an older daemon", () => {
  it("keep address, end and quota, whatever was sold", async () => {
    const rows = [
      active("time", 2, { expires_at: NOW + DAY }),
      active("data", 3, { expires_at: NOW + DAY, data_quota_bytes: GIB, data_used_bytes: 5 }),
      active("endless", 4, { data_quota_bytes: GIB, data_used_bytes: 5 }),
      active("unlimited", 5),
    ];
    expect(await adopt(...rows)).toEqual({ unusable: [], outside: [] });
    expect(peers()).toEqual(
      rows.map((row) => ({ publicKey: row.client_identity, addresses: [row.assigned_ip] })),
    );
    expect(rows.map((row) => find(row.session_id)?.expiresAt)).toEqual([NOW + DAY, NOW + DAY, null, null]);
    expect([find("data"), find("endless")].map((s) => s && bytesLeft(s.terms))).toEqual([GIB - 5, GIB - 5]);
    expect(endings(NOW + DAY - 1)).toEqual([]);
    expect(endings(NOW + DAY).sort()).toEqual(["data", "time"]);
    expect(endings(NOW + 9999 * DAY)).toEqual([]);
  });

  it("are as they were when the book is opened and adopted again", async () => {
    await adopt(active("data", 3, { expires_at: NOW + DAY, data_quota_bytes: GIB }));
    open.store.grant("data", { seconds: 60, bytes: 0 }, NOW);
    const before = find("data");
    expect(open.store.adoptOldRows(NOW + 5)).toEqual({ unusable: [], outside: [] });
    expect(find("data")).toEqual(before);
  });

  it("never lose by a purchase", async () => {
    await adopt(active("endless", 2, { data_quota_bytes: GIB }), active("unlimited", 3));
    open.store.grant("endless", { seconds: 60, bytes: 0 }, NOW);
    open.store.grant("unlimited", { seconds: 60, bytes: 0 }, NOW);
    open.store.grant("unlimited", { seconds: 0, bytes: 1 }, NOW);
    expect([find("endless")?.expiresAt, find("unlimited")?.expiresAt]).toEqual([null, null]);
    expect(endings(NOW + 9999 * DAY)).toEqual([]);
  });

  it("end when their data was used up before, end or no end", async () => {
    await adopt(
      active("used-up", 2, { data_quota_bytes: GIB, data_used_bytes: GIB + 1 }),
      active("also", 3, { expires_at: NOW + DAY, data_quota_bytes: GIB, data_used_bytes: GIB }),
    );
    expect(open.store.endDue(NOW)).toEqual([
      { sessionId: "used-up", cause: "data" },
      { sessionId: "also", cause: "data" },
    ]);
  });

  it("run on when a quota of nothing stands beside their end", async () => {
    await adopt(active("time", 2, { expires_at: NOW + DAY, data_quota_bytes: 0 }));
    expect(endings(NOW + DAY - 1)).toEqual([]);
    expect(endings(NOW + DAY)).toEqual(["time"]);
  });

  it("outside today's subnet are kept and told", async () => {
    const row = active("far", 2, { assigned_ip: "10.9.9.9", expires_at: NOW + DAY });
    expect(await adopt(row)).toEqual({ unusable: [], outside: ["far"] });
    expect(peers()).toEqual([{ publicKey: row.client_identity, addresses: ["10.9.9.9"] }]);
    open.store.endDue(NOW + DAY);
    open.store.readBackAsGone([String(row.client_identity)]);
    const again = open.store.reserve(String(row.client_identity), firstPurchase, NOW + DAY + 1);
    expect(again && find(again)?.address).toBe("10.66.42.2");
  });
});

describe("what an older daemon did between two of our runs", () => {
  const write = (sql: string) => open.book.prepare(sql).run();
  const readopted = () => {
    open.store.adoptOldRows(NOW);
    return find("s");
  };

  it("is in force: an end that it moved, from which a later purchase goes on", async () => {
    await adopt(active("s", 2, { expires_at: NOW + DAY }));
    write(`UPDATE sessions SET expires_at = ${NOW + 3 * DAY}`);
    expect(readopted()?.terms.timeUntil).toBe(NOW + 3 * DAY);
    open.store.grant("s", { seconds: 60, bytes: 0 }, NOW);
    expect(find("s")?.expiresAt).toBe(NOW + 3 * DAY + 60);
  });

  it("is in force: data that it sold, charged, or gave another end", async () => {
    await adopt(active("s", 2, { expires_at: NOW + DAY, data_quota_bytes: GIB }));
    write(
      `UPDATE sessions SET data_quota_bytes = ${2 * GIB}, data_used_bytes = 5, expires_at = ${NOW + 9 * DAY}`,
    );
    const terms = { ...noTerms, dataUntil: NOW + 9 * DAY, quotaBytes: 2 * GIB, usedBytes: 5 };
    expect(readopted()?.terms).toEqual(terms);
  });

  it("takes no time from who has data too, unless it cut that short", async () => {
    await adopt(active("s", 2, { expires_at: NOW + DAY, data_quota_bytes: GIB }));
    open.store.grant("s", { seconds: 2 * DAY, bytes: 0 }, NOW);
    write(`UPDATE sessions SET data_used_bytes = ${GIB}`);
    expect(readopted()).toMatchObject({ expiresAt: NOW + 2 * DAY, terms: { timeUntil: NOW + 2 * DAY } });
    write(`UPDATE sessions SET expires_at = ${NOW + 9 * DAY}`);
    expect(readopted()?.terms).toMatchObject({ timeUntil: NOW + 2 * DAY, dataUntil: NOW + 9 * DAY });
    write(`UPDATE sessions SET expires_at = ${NOW + 60}`);
    expect(readopted()?.terms).toMatchObject({ timeUntil: NOW + 60, dataUntil: NOW + 60 });
  });

  it("ends and takes up sessions as it did", async () => {
    await adopt(active("s", 2, { expires_at: NOW + DAY }));
    write(`UPDATE sessions SET status = 'expired', expires_at = ${NOW - 5}`);
    expect(readopted()).toMatchObject({ status: "expired", endedAt: NOW - 5 });
    write(`UPDATE sessions SET status = 'active', expires_at = ${NOW + DAY}`);
    expect(readopted()).toMatchObject({ endedAt: null, terms: { timeUntil: NOW + DAY } });
    expect(endings(NOW + DAY)).toEqual(["s"]);
  });
});

describe("two active rows of one key", () => {
  const key = newKey();
  const rows = [
    active("soon", 2, {
      client_identity: key,
      expires_at: NOW + DAY,
      data_quota_bytes: 1000,
      last_rx_counter: 70,
    }),
    active("late", 3, {
      client_identity: key,
      data_quota_bytes: 5000,
      last_rx_counter: 70,
      last_tx_counter: 0,
    }),
  ];
  const count = (receivedBytes: number, now: number) => {
    const peers = new Map([[key, { publicKey: key, receivedBytes, sentBytes: 0 }]]);
    open.store.count({ peers, kernelCounts: new Map() }, now, now);
  };

  it("are one peer with both addresses, charged once", async () => {
    await adopt(...rows);
    expect(peers()).toEqual([{ publicKey: key, addresses: ["10.66.42.2", "10.66.42.3"] }]);
    expect(open.store.addressesOf(key)).toEqual(["10.66.42.2", "10.66.42.3"]);
    count(470, NOW);
    expect([find("soon"), find("late")].map((s) => s?.terms.usedBytes)).toEqual([400, 0]);
    count(1270, NOW + 1);
    expect([find("soon"), find("late")].map((s) => s?.terms.usedBytes)).toEqual([1000, 200]);
    expect(endings(NOW + 1)).toEqual(["soon"]);
    expect(peers()).toEqual([{ publicKey: key, addresses: ["10.66.42.3"] }]);
    count(1300, NOW + 2);
    expect(find("late")?.terms.usedBytes).toBe(230);
  });

  it("cost no data while one of them has time", async () => {
    await adopt(
      ...rows.slice(0, 1),
      active("time", 9, { client_identity: key, expires_at: NOW + DAY, last_rx_counter: 70 }),
    );
    count(999_999, NOW);
    expect(find("soon")?.terms.usedBytes).toBe(0);
  });

  it("are extended at the one that lasts longest", async () => {
    await adopt(...rows);
    expect(open.store.reserve(key, firstPurchase, NOW)).toBe("late");
  });
});

describe("an older daemon's unpaid invoice", () => {
  const key = newKey();
  const invoice = (parts: Partial<OldRow> = {}): OldRow => ({
    ...active("invoice", 2, { client_identity: key, purchased_at: NOW - 60, expires_at: NOW + DAY }),
    status: "pending",
    payment_hash: "ab".repeat(32),
    ...parts,
  });

  it("keeps its address and admits nobody for a day, then lapses", async () => {
    await adopt(invoice());
    expect([open.store.desiredPeers(), open.store.booked().pendingKeys]).toEqual([[], [key]]);
    expect(open.pool.countFree(NOW, 999)).toBe(252);
    open.store.lapseOldPending(NOW - 60 + DAY - 1);
    expect(find("invoice")?.status).toBe("pending");
    open.store.lapseOldPending(NOW - 60 + DAY);
    expect(find("invoice")?.status).toBe("expired");
    expect(open.pool.countFree(NOW + DAY, 999)).toBe(253);
    open.store.forgetKeys(NOW + DAY);
    expect(find("invoice")?.publicKey).toBe("");
  });

  it("gives its unpaid time to no purchase over ecash", async () => {
    await adopt(invoice());
    const id = open.granted(key, { seconds: 3600, bytes: 0 }, NOW);
    expect(id).not.toBe("invoice");
    expect(find(id)?.expiresAt).toBe(NOW + 3600);
  });

  it("without a hash is a row to start from, but not its unpaid end or quota", async () => {
    await adopt(invoice({ payment_hash: null, data_quota_bytes: GIB }));
    expect(open.granted(key, { seconds: 0, bytes: 7 }, NOW)).toBe("invoice");
    expect(find("invoice")).toMatchObject({ expiresAt: NOW + DATA_TIER_SECONDS, terms: { quotaBytes: 7 } });
  });

  it("is left alone by the lapse once a sale has pinned it", async () => {
    await adopt(invoice());
    open.sale("invoice");
    open.store.lapseOldPending(NOW + 9 * DAY);
    expect(find("invoice")?.status).toBe("pending");
  });
});

describe("sessions that ended under the older daemon", () => {
  it("have to be seen as gone, then are forgotten", async () => {
    const [expired, revoked] = [newKey(), newKey()];
    await adopt(
      active("expired", 2, { client_identity: expired, status: "expired", expires_at: NOW - DAY }),
      active("revoked", 2, { client_identity: revoked, status: "revoked", expires_at: NOW + DAY }),
    );
    expect(open.store.departingKeys().sort()).toEqual([expired, revoked].sort());
    expect(open.pool.countFree(NOW, 999)).toBe(252);
    open.store.readBackAsGone([expired, revoked]);
    expect(open.pool.countFree(NOW, 999)).toBe(253);
    open.store.forgetKeys(NOW);
    expect([find("expired")?.publicKey, find("revoked")?.publicKey]).toEqual(["", ""]);
  });

  it("a moment ago are renewed in place", async () => {
    const key = newKey();
    await adopt(active("late", 7, { client_identity: key, status: "expired", expires_at: NOW - 10 }));
    open.store.readBackAsGone([key]);
    expect(open.pool.countFree(NOW - 10 + HOLD_SECONDS - 1, 999)).toBe(252);
    expect(open.store.findByKey(key, NOW)?.sessionId).toBe("late");
  });

  it("whose key lives on in another row are not taken off", async () => {
    const key = newKey();
    await adopt(
      active("former", 2, { client_identity: key, status: "expired", expires_at: NOW - DAY }),
      active("now", 2, { client_identity: key, expires_at: NOW + DAY }),
    );
    expect(open.store.departingKeys()).toEqual([]);
  });
});

describe("rows that hold nonsense", () => {
  it("are kept and left out, and stop nothing", async () => {
    const rows = [
      active("no-key", 2, { client_identity: "not a key", expires_at: NOW + DAY }),
      active("null-key", 3, { client_identity: null, expires_at: NOW + 5 }),
      active("no-address", 4, { assigned_ip: "10.66.42.300; reboot", expires_at: NOW + DAY }),
      active("null-address", 5, { assigned_ip: null, expires_at: NOW + 5 }),
      active("words", 6, {
        expires_at: "tomorrow",
        data_quota_bytes: "much",
        data_used_bytes: null,
        purchased_at: null,
      }),
      active("fraction", 7, { expires_at: NOW + 10.5 }),
      active("fine", 8, { expires_at: NOW + DAY }),
    ];
    const { unusable } = await adopt(...rows);
    expect(unusable.sort()).toEqual(["no-address", "no-key", "null-address", "null-key"]);
    expect(peers().map((peer) => peer.addresses[0])).toEqual(["10.66.42.6", "10.66.42.7", "10.66.42.8"]);
    expect(endings(NOW + 5).sort()).toEqual(["null-address", "null-key"]);
    expect(open.store.departingKeys()).toEqual([]);
    expect(endings(NOW + 11)).toEqual(["fraction"]);
    open.store.forgetKeys(NOW + DAY);
    expect(find("no-key")?.status).toBe("active");
  });

  it("do not stand in the way of their key's next purchase", async () => {
    const row = active("no-address", 4, { assigned_ip: "nowhere", expires_at: NOW + DAY });
    await adopt(row);
    const id = open.granted(String(row.client_identity), { seconds: 60, bytes: 0 }, NOW);
    expect(id).not.toBe("no-address");
    expect(open.store.addressesOf(String(row.client_identity))).toEqual(["10.66.42.2"]);
  });
});
