import { setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFacts } from "../db/facts.ts";
import type { Bought } from "../protocol/price.ts";
import {
  firstPurchase,
  HOLD_SECONDS,
  newKey,
  openSessionBook,
  type SessionBook,
} from "../testing/session-book.ts";
import { createInMemoryEnforcement, type InMemoryEnforcement } from "../wireguard/in-memory.ts";
import { createClockGuard } from "./clock-guard.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { type LimitKeeper, noLimits } from "./limit-keeper.ts";
import { limitName } from "./limits.ts";
import { type Enforcement, EnforcementError, type SessionLimit } from "./ports.ts";

const HOUR = 3600;
const hour = { seconds: HOUR, bytes: 0 };
const START = 1_800_000_000;

let open: SessionBook;
let wg: InMemoryEnforcement;
let clock: { wall: number; monotonicMs: number };
let logged: { event: string; [field: string]: unknown }[];
let changes: number;
let keeper: Keeper;

beforeEach(async () => {
  open = await openSessionBook();
  wg = createInMemoryEnforcement(newKey());
  clock = { wall: START, monotonicMs: 0 };
  logged = [];
  changes = 0;
  keeper = keep();
});
afterEach(() => open.close());

function keep(parts: { enforcement?: Enforcement; limits?: LimitKeeper; exclusive?: boolean } = {}): Keeper {
  const logger = pino({ level: "info" }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const guard = createClockGuard(
    createFacts(open.book),
    { now: () => clock.wall },
    () => clock.monotonicMs,
    false,
  );
  const onChange = () => void changes++;
  return createKeeper({
    store: open.store,
    pool: open.pool,
    enforcement: wg,
    limits: noLimits,
    exclusive: false,
    ...parts,
    guard,
    wallMs: () => clock.wall * 1000,
    logger,
    onChange,
  });
}
function pass(seconds: number): void {
  clock.wall += seconds;
  clock.monotonicMs += seconds * 1000;
}
/** A sale's tunnel, from the pinned address to the grant. */
async function sell(key: string, bought: Bought = hour, from = keeper): Promise<string> {
  const sessionId = open.store.reserve(key, firstPurchase, clock.wall);
  if (sessionId === undefined) throw new Error("the pool is empty");
  const sale = open.sale(sessionId, "paid");
  await from.admit(sessionId, bought, (now) => {
    open.saleEnds(sale, "granted");
    open.store.grant(sessionId, bought, now);
  });
  return sessionId;
}
const onInterface = async () => (await wg.look()).peers.map((peer) => peer.publicKey).sort();
const events = (name: string) => logged.filter(({ event }) => event === name);

/** What an older daemon may have left: the only key has another live session, for a minute longer. */
function addSecondRow(): void {
  open.book.exec(`
    INSERT INTO sessions SELECT 'second', protocol, client_identity, '10.66.42.9', purchased_at, expires_at + 60,
      data_quota_bytes, data_used_bytes, price_amount, price_currency, price_unit, payment_method, status,
      last_rx_counter, last_tx_counter, payment_hash, listing_d_tag FROM sessions`);
  open.store.adoptOldRows(clock.wall);
}

/** The interface, slow enough for everything to overlap. */
function slowly(inner: Enforcement): Enforcement {
  const later = async <T>(step: () => Promise<T>) => {
    await sleep(Math.random() * 4);
    const result = await step();
    await sleep(Math.random() * 4);
    return result;
  };
  return {
    look: () => later(inner.look),
    apply: (change) => later(() => inner.apply(change)),
    trouble: (view) => later(() => inner.trouble(view)),
  };
}

describe("a tick", () => {
  it("says that nothing was looked at before it, and that all is well after", async () => {
    expect(keeper.trouble()).toMatch(/not been looked at/);
    await keeper.tick();
    expect([keeper.trouble(), changes]).toEqual([undefined, 1]);
  });

  it("heals an interface that was torn down, and counts on from zero", async () => {
    const key = newKey();
    const id = await sell(key, { seconds: 0, bytes: 10_000 });
    wg.count(key, 100, 100);
    await keeper.tick();
    wg.takeDown();
    await keeper.tick();
    expect(keeper.trouble()).toMatch(/taken down/);
    wg.bringUp();
    await keeper.tick();
    expect([await onInterface(), keeper.trouble()]).toEqual([[key], undefined]);
    wg.count(key, 300, 0);
    await keeper.tick();
    expect(open.store.find(id)?.terms.usedBytes).toBe(500);
    expect(events("wireguard-trouble")).toHaveLength(1);
    expect(events("wireguard-well")).toHaveLength(1);
    expect(events("reconciled")).toMatchObject([{ added: 1, removed: 0, rejected: 0 }]);
  });

  it("takes off who is over, and gives the address on only once the peer was seen as gone", async () => {
    const key = newKey();
    await sell(key);
    pass(HOUR);
    await keeper.tick();
    expect([await onInterface(), open.store.departingKeys()]).toEqual([[], [key]]);
    await keeper.tick();
    expect(open.store.departingKeys()).toEqual([]);
    expect(events("session-expired")).toMatchObject([{ cause: "time" }]);
    pass(HOLD_SECONDS);
    await keeper.tick();
    expect(open.book.prepare("SELECT client_identity FROM sessions").pluck().all()).toEqual([""]);
  });

  it("ends a session whose data was used up, but not by traffic of its paid time", async () => {
    const key = newKey();
    const id = await sell(key, { seconds: 0, bytes: 1000 });
    await sell(key, hour);
    pass(5);
    wg.count(key, 900_000, 0);
    await keeper.tick();
    expect(open.store.find(id)?.terms.usedBytes).toBe(0);
    pass(HOUR);
    await keeper.tick();
    wg.count(key, 900_000, 999);
    await keeper.tick();
    expect(await onInterface()).toEqual([key]);
    wg.count(key, 900_000, 1000);
    await keeper.tick();
    expect([await onInterface(), events("session-expired")]).toMatchObject([[], [{ cause: "data" }]]);
  });

  it("after a restart charges what came while the daemon was down by the time the book saw last", async () => {
    const key = newKey();
    const id = await sell(key, { seconds: 0, bytes: 1_000_000 });
    await sell(key, hour);
    createFacts(open.book).set("clock-last-seen", String(clock.wall));
    wg.count(key, 5000, 0);
    pass(2 * HOUR);
    const restarted = keep();
    await restarted.tick();
    expect(open.store.find(id)?.terms.usedBytes).toBe(0);
    wg.count(key, 5100, 0);
    await restarted.tick();
    expect(open.store.find(id)?.terms.usedBytes).toBe(100);
  });

  it("goes on past a peer that the interface does not take, and tells of it once", async () => {
    const [good, zero] = [newKey(), Buffer.alloc(32).toString("base64")];
    open.granted(zero, hour, clock.wall);
    open.granted(good, hour, clock.wall);
    await keeper.tick();
    await keeper.tick();
    expect(await onInterface()).toEqual([good]);
    expect(events("reconciled")).toMatchObject([{ added: 1, removed: 0, rejected: 1 }]);
  });

  it("takes one address of a key off when another of its sessions goes on", async () => {
    const key = newKey();
    open.granted(key, hour, clock.wall);
    addSecondRow();
    await keeper.tick();
    expect((await wg.look()).peers[0]?.allowedIps.toSorted()).toEqual(["10.66.42.2/32", "10.66.42.9/32"]);
    pass(HOUR);
    await keeper.expire();
    expect(open.pool.countFree(clock.wall + 2 * HOLD_SECONDS, 999)).toBe(251);
    await keeper.tick();
    await keeper.tick();
    expect((await wg.look()).peers[0]?.allowedIps).toEqual(["10.66.42.9/32"]);
    expect(open.store.departingKeys()).toEqual([]);
    expect(open.pool.countFree(clock.wall + 2 * HOLD_SECONDS, 999)).toBe(252);
  });
});

describe("peers that the book does not know", () => {
  const stranger = newKey();
  beforeEach(() => wg.apply({ set: [{ publicKey: stranger, addresses: ["10.66.42.2"] }], remove: [] }));

  it("are left alone, known as foreign, and their addresses not handed out", async () => {
    await keeper.tick();
    expect([keeper.isForeign(stranger), keeper.isForeign(newKey()), keeper.foreignPeers().length]).toEqual([
      true,
      false,
      1,
    ]);
    const id = await sell(newKey());
    expect(open.store.find(id)?.address).toBe("10.66.42.3");
    await keeper.tick();
    expect(await onInterface()).toContain(stranger);
  });

  it("go when the interface is ours alone, sales under way stay", async () => {
    const exclusive = keep({ exclusive: true });
    const pending = newKey();
    const id = open.store.reserve(pending, firstPurchase, clock.wall);
    open.sale(id ?? "none", "paid");
    await wg.apply({ set: [{ publicKey: pending, addresses: ["10.66.42.2"] }], remove: [] });
    await exclusive.tick();
    expect(await onInterface()).toEqual([pending]);
  });
});

describe("a book that cannot be written", () => {
  it("is complained of, and hides nothing of the interface: neither its loss nor its return, nor a peer", async () => {
    const [key, other] = [newKey(), newKey()];
    await sell(key, { seconds: 0, bytes: 10_000 });
    await sell(other, { seconds: 60, bytes: 0 });
    await keeper.tick();
    pass(61);
    wg.takeDown();
    open.book.pragma("query_only = ON");
    await expect(keeper.tick()).rejects.toThrow(/readonly/);
    expect(keeper.trouble()).toMatch(/was taken down/);
    wg.bringUp();
    await expect(keeper.tick()).rejects.toThrow(/readonly/);
    expect(keeper.trouble()).toBeUndefined();
    expect(await onInterface()).toContain(key);
    open.book.pragma("query_only = OFF");
    await keeper.tick();
    expect(await onInterface()).toEqual([key]);
  });
});

describe("admitting", () => {
  it("writes nothing when the interface fails", async () => {
    const id = open.store.reserve(newKey(), firstPurchase, clock.wall) ?? "none";
    wg.takeDown();
    const committed: number[] = [];
    await expect(keeper.admit(id, hour, (now) => void committed.push(now))).rejects.toThrow(EnforcementError);
    expect([committed, open.store.find(id)?.status]).toEqual([[], "pending"]);
  });

  it("writes nothing when the peer is not taken", async () => {
    const id = open.store.reserve(Buffer.alloc(32).toString("base64"), firstPurchase, clock.wall) ?? "none";
    const committed: number[] = [];
    await expect(keeper.admit(id, hour, (now) => void committed.push(now))).rejects.toThrow(EnforcementError);
    expect(committed).toEqual([]);
  });

  it("starts the time when the peer is up, not when it was asked for", async () => {
    const slow = keep({
      enforcement: {
        ...wg,
        apply: async (change) => {
          pass(7);
          return wg.apply(change);
        },
      },
    });
    const id = await sell(newKey(), hour, slow);
    expect(open.store.find(id)?.expiresAt).toBe(START + 7 + HOUR);
  });

  it("never loses a peer, new or renewed at its very end, to ticks and expiries that run meanwhile", async () => {
    const busy = keep({ enforcement: slowly(wg), exclusive: true });
    const ending = Array.from({ length: 20 }, newKey);
    const keys = [...ending, ...Array.from({ length: 30 }, newKey)];
    for (const key of ending) open.granted(key, { seconds: 1, bytes: 0 }, clock.wall);
    await busy.tick();
    pass(1);
    let selling = true;
    const upkeep = (step: () => Promise<void>) =>
      (async () => {
        while (selling) {
          await step();
          await sleep(1);
          for (const id of sold) {
            const key = open.store.find(id)?.publicKey;
            expect(await onInterface()).toContain(key);
          }
        }
      })();
    const sold: string[] = [];
    const loops = [upkeep(busy.tick), upkeep(busy.expire)];
    try {
      await Promise.all(keys.map(async (key) => sold.push(await sell(key, hour, busy))));
    } finally {
      selling = false;
    }
    await Promise.all(loops);
    await busy.tick();
    expect(await onInterface()).toEqual([...keys].sort());
    const addresses = (await wg.look()).peers.flatMap((peer) => peer.allowedIps);
    expect(new Set(addresses).size).toBe(50);
  });

  it("renews in place: the tunnel is never taken off", async () => {
    const key = newKey();
    const removed: string[] = [];
    const watched = keep({
      enforcement: {
        ...wg,
        apply: (change) => {
          removed.push(...change.remove);
          return wg.apply(change);
        },
      },
    });
    await sell(key, hour, watched);
    pass(HOUR - 1);
    await sell(key, hour, watched);
    pass(2);
    await watched.expire();
    await watched.tick();
    expect([await onInterface(), removed]).toEqual([[key], []]);
  });
});

describe("expiry", () => {
  it("takes peers off at once, and the tick what it could not", async () => {
    const [one, two] = [newKey(), newKey()];
    await sell(one);
    pass(10);
    await sell(two);
    pass(HOUR - 10);
    await keeper.expire();
    expect(await onInterface()).toEqual([two]);
    const dumb = keep({
      enforcement: {
        ...wg,
        apply: () => Promise.reject(new EnforcementError({ code: "not-answering", message: "silent" })),
      },
    });
    pass(10);
    await dumb.expire();
    expect([await onInterface(), open.store.departingKeys()]).toEqual([[two], [one, two].sort()]);
    await keeper.tick();
    expect(await onInterface()).toEqual([]);
  });

  it("goes on in the book while the interface is gone", async () => {
    const id = await sell(newKey());
    wg.takeDown();
    pass(HOUR);
    await keeper.tick();
    expect(open.store.find(id)?.status).toBe("expired");
  });

  it("lets errors of the book through", async () => {
    await sell(newKey());
    pass(HOUR);
    open.book.pragma("query_only = ON");
    await expect(keeper.expire()).rejects.toThrow(/readonly/);
    open.book.pragma("query_only = OFF");
    await keeper.expire();
    expect(await onInterface()).toEqual([]);
  });
});

describe("while the clock is in doubt", () => {
  it("nothing expires and nothing is admitted, but what runs is kept up; then all goes on", async () => {
    const key = newKey();
    const id = await sell(key);
    await keeper.tick();
    clock.wall += 2 * HOUR;
    await keeper.expire();
    wg.takeDown();
    wg.bringUp();
    await keeper.tick();
    expect([await onInterface(), open.store.find(id)?.status]).toEqual([[key], "active"]);
    expect(keeper.trouble()).toMatch(/the clock says/);
    await expect(sell(newKey())).rejects.toThrow(EnforcementError);
    clock.wall -= 2 * HOUR;
    pass(HOUR);
    await keeper.tick();
    expect([keeper.trouble(), open.store.find(id)?.status]).toEqual([undefined, "expired"]);
  });
});

describe("a revocation", () => {
  const revoke = (id: string) => keeper.revoke(id, () => open.store.revoke(id, clock.wall));

  it("takes the peer off at once; its address is held, and handed on only once it was seen as gone", async () => {
    const [key, other] = [newKey(), newKey()];
    const id = await sell(key);
    await sell(other);
    expect(await revoke(id)).toBe("off");
    expect([await onInterface(), open.store.find(id)?.status]).toEqual([[other], "revoked"]);
    expect(open.store.departingKeys()).toEqual([key]);
    await keeper.tick();
    expect(open.store.departingKeys()).toEqual([]);
    expect(await revoke(id)).toBe("did-not-run");
  });

  it("is mended by the tick when the interface does not answer", async () => {
    const id = await sell(newKey());
    wg.takeDown();
    expect(await revoke(id)).toBe("to-go");
    wg.bringUp();
    await keeper.tick();
    expect(await onInterface()).toEqual([]);
  });

  it("of one of the key's sessions leaves the key its other one", async () => {
    const key = newKey();
    const id = await sell(key);
    addSecondRow();
    expect(await revoke(id)).toBe("off");
    expect((await wg.look()).peers).toMatchObject([{ publicKey: key, allowedIps: ["10.66.42.9/32"] }]);
  });

  it("is not undone by a grant that waited for the interface", async () => {
    const id = await sell(newKey());
    const revoked = revoke(id);
    const admitted = keeper.admit(id, hour, () => open.store.grant(id, hour, clock.wall));
    expect([await revoked, await admitted]).toEqual(["off", false]);
    expect([await onInterface(), open.store.find(id)?.status]).toEqual([[], "revoked"]);
  });
});

describe("limits in the kernel", () => {
  type Call = [string, ...unknown[]];
  let calls: Call[];
  let counts: Map<string, number>;
  let failing: boolean;
  const noNft = { code: "no-limits" as const, message: "nft cannot be run" };
  const names = (limits: readonly SessionLimit[]) => limits.map(({ addresses }) => addresses.join());
  const limits: LimitKeeper = {
    look: async () => new Map(counts),
    bringInLine: async (desired, foreign, endsAreSure) => {
      calls.push(["in line", names(desired()), foreign, endsAreSure]);
      return !failing;
    },
    set: async (set) => {
      calls.push([
        "set",
        ...set.map(({ addresses, time, data }) => [addresses[0], time?.leftMs, data?.totalBytes]),
      ]);
      if (failing) throw new EnforcementError(noNft);
    },
    release: async (gone) => void calls.push(["released", ...names(gone)]),
    mistrust: () => {},
    trouble: () => (failing ? noNft : undefined),
  };
  let limited: Keeper;

  beforeEach(() => {
    calls = [];
    counts = new Map();
    failing = false;
    limited = keep({
      limits,
      enforcement: {
        ...wg,
        apply: (change) => {
          calls.push(["peers", change.set.length, change.remove.length]);
          return wg.apply(change);
        },
      },
    });
  });

  it("stand before the peer does, and go after it", async () => {
    await sell(newKey(), hour, limited);
    expect(calls).toEqual([
      ["set", ["10.66.42.2", HOUR * 1000, undefined]],
      ["peers", 1, 0],
    ]);
    calls = [];
    pass(HOUR);
    await limited.expire();
    expect(calls).toEqual([
      ["peers", 0, 1],
      ["released", "10.66.42.2"],
    ]);
  });

  it("that cannot be set: nobody gets in, nothing is written, nothing can be sold; peers still go", async () => {
    await sell(newKey(), { seconds: 10, bytes: 0 }, limited);
    failing = true;
    const late = newKey();
    await expect(sell(late, hour, limited)).rejects.toThrow(EnforcementError);
    expect(open.store.findByKey(late, clock.wall)?.status).toBe("pending");
    open.granted(newKey(), hour, clock.wall);
    pass(10);
    await limited.tick();
    expect([await onInterface(), limited.trouble()]).toEqual([[], "nft cannot be run"]);
    failing = false;
    await limited.tick();
    expect([(await onInterface()).length, limited.trouble()]).toEqual([1, undefined]);
  });

  it("of a renewal hold what is left by the kernel's count, and what was bought", async () => {
    const key = newKey();
    const id = await sell(key, { seconds: 0, bytes: 1000 }, limited);
    counts.set(limitName(id), 700);
    wg.count(key, 950, 0);
    calls = [];
    await sell(key, { seconds: 0, bytes: 500 }, limited);
    expect(calls[0]).toEqual(["set", ["10.66.42.2", undefined, 1500]]);
    expect(open.store.find(id)?.terms).toMatchObject({ quotaBytes: 1500, usedBytes: 700 });
  });

  it("of a session whose rate turns are set within a tick, and of one that was extended at once", async () => {
    const rates: unknown[] = [];
    const turning = keep({
      limits: {
        ...limits,
        bringInLine: async () => true,
        set: async (set) => void rates.push(...set.map(({ time, rateMbit }) => [time?.leftMs, rateMbit])),
      },
    });
    const id = await sell(newKey(), { ...hour, rateMbit: 10 }, turning);
    await sell(open.store.find(id)?.publicKey ?? "", { ...hour, rateMbit: 50 }, turning);
    await turning.tick();
    rates.splice(0);
    pass(HOUR - 1);
    await turning.tick();
    expect(rates).toEqual([]);
    pass(1);
    await turning.tick();
    await turning.tick();
    expect(rates).toEqual([[HOUR * 1000, 10]]);
    open.store.grant(id, { ...hour, rateMbit: 10 }, clock.wall);
    await turning.extended(id);
    expect(rates.slice(1)).toEqual([[2 * HOUR * 1000, 10]]);
  });

  it("of an extension that cannot be set are left to a tick", async () => {
    const id = await sell(newKey(), hour, limited);
    failing = true;
    calls = [];
    await limited.extended(id);
    expect(calls).toEqual([]);
    const unable = keep({ limits: { ...limits, trouble: () => undefined } });
    await unable.extended(id);
    expect(calls).toEqual([["set", ["10.66.42.2", HOUR * 1000, undefined]]]);
  });

  it("count for the book, never twice; what they did not count is taken from the interface's counters", async () => {
    const key = newKey();
    await limited.tick();
    const id = await sell(key, { seconds: 0, bytes: 10_000 }, limited);
    const used = async () => {
      await limited.tick();
      return open.store.find(id)?.terms.usedBytes;
    };
    counts.set(limitName(id), 100);
    wg.count(key, 150, 0);
    expect([await used(), await used()]).toEqual([100, 100]);
    counts.clear();
    wg.count(key, 190, 0);
    expect([await used(), await used()]).toEqual([140, 140]);
    counts.set(limitName(id), 120);
    expect(await used()).toBe(140);
    counts.set(limitName(id), 10_000);
    await limited.tick();
    expect([open.store.find(id)?.status, events("session-expired")]).toMatchObject([
      "expired",
      [{ cause: "data" }],
    ]);
  });

  it("start when the peer is up, not when it was asked for", async () => {
    const slow = keep({
      limits,
      enforcement: {
        ...wg,
        apply: async (change) => {
          pass(7);
          return wg.apply(change);
        },
      },
    });
    await sell(newKey(), hour, slow);
    const whole = ["set", ["10.66.42.2", HOUR * 1000, undefined]];
    expect(calls).toEqual([whole, whole]);
  });

  it("and peers of grants that wait together are set in one call, those of one key after each other", async () => {
    const busy = keep({ limits, enforcement: slowly(wg) });
    const twice = newKey();
    const keys = [...Array.from({ length: 9 }, newKey), twice, twice];
    const looking = busy.glance();
    await Promise.all(keys.map((key) => sell(key, hour, busy)));
    await looking;
    expect(calls.filter(([what]) => what === "set").map((call) => call.length - 1)).toEqual([10, 1]);
    expect(open.store.findByKey(twice, clock.wall)?.expiresAt).toBe(START + 2 * HOUR);
    expect(await onInterface()).toEqual([...new Set(keys)].sort());
  });

  it("leave foreign peers alone, unless the interface is ours alone", async () => {
    await wg.apply({ set: [{ publicKey: newKey(), addresses: ["10.66.42.99"] }], remove: [] });
    await limited.tick();
    await keep({ limits, exclusive: true }).tick();
    expect(calls.filter(([what]) => what === "in line")).toEqual([
      ["in line", [], ["10.66.42.99/32"], true],
      ["in line", [], [], true],
    ]);
  });

  it("while the clock is in doubt last as long as by the time that the book saw", async () => {
    await sell(newKey(), hour, limited);
    clock.wall += 2 * HOUR;
    calls = [];
    await limited.tick();
    expect(calls[0]).toEqual(["in line", ["10.66.42.2"], [], false]);
  });
});

describe("a move to another key", () => {
  it("puts the new peer up and takes the old one off at once", async () => {
    const [before, after] = [newKey(), newKey()];
    const id = await sell(before);
    await keeper.move(id, after, clock.wall, () => {});
    expect((await wg.look()).peers.map((peer) => [peer.publicKey, peer.allowedIps])).toEqual([
      [after, ["10.66.42.2/32"]],
    ]);
  });

  it("of one of the key's sessions leaves the key its other one", async () => {
    const [before, after] = [newKey(), newKey()];
    const id = await sell(before);
    addSecondRow();
    await keeper.move(id, after, clock.wall, () => {});
    const held = (await wg.look()).peers.map((peer) => [peer.publicKey, ...peer.allowedIps]);
    expect(held.sort()).toEqual(
      [
        [before, "10.66.42.9/32"],
        [after, "10.66.42.2/32"],
      ].sort(),
    );
  });

  it("is mended by the tick when the interface is gone meanwhile", async () => {
    const [before, after] = [newKey(), newKey()];
    const id = await sell(before);
    wg.takeDown();
    await keeper.move(id, after, clock.wall, () => {});
    wg.bringUp();
    await keeper.tick();
    expect(await onInterface()).toEqual([after]);
  });

  it("of a session that is not up yet touches no interface", async () => {
    const after = newKey();
    const id = open.store.reserve(newKey(), firstPurchase, clock.wall) ?? "none";
    await keeper.move(id, after, clock.wall, () => {});
    expect([await onInterface(), open.store.find(id)?.publicKey]).toEqual([[], after]);
  });
});
