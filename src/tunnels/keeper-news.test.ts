import fc from "fast-check";
import pino from "pino";
import { expect, it } from "vitest";
import { createFacts } from "../db/facts.ts";
import { openBook } from "../db/open-book.ts";
import { firstPurchase, newKey, openSessionBook, type SessionBook } from "../testing/session-book.ts";
import { createInMemoryEnforcement, type InMemoryEnforcement } from "../wireguard/in-memory.ts";
import { createClockGuard } from "./clock-guard.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { createLimitKeeper, type LimitKeeper, noLimits } from "./limit-keeper.ts";
import { type Enforcement, EnforcementError } from "./ports.ts";
import { compare } from "./reconcile.ts";

const START = 1_800_000_000;
const HOUR = 3600;
const hour = { seconds: HOUR, bytes: 0 };
const data = { seconds: 0, bytes: 1_000_000 };

interface World {
  open: SessionBook;
  wg: InMemoryEnforcement;
  keeper: Keeper;
  pass(seconds: number): void;
  now(): number;
}

async function makeWorld(
  around: (wg: Enforcement) => Enforcement = (wg) => wg,
  limits: LimitKeeper = noLimits,
): Promise<World> {
  const open = await openSessionBook("10.66.42.0/28");
  const wg = createInMemoryEnforcement(newKey());
  let passed = 0;
  const now = () => START + passed;
  const pass = (seconds: number) => {
    passed += seconds;
  };
  const facts = createFacts(open.book);
  const keeper = createKeeper({
    store: open.store,
    pool: open.pool,
    enforcement: around(wg),
    limits,
    guard: createClockGuard(facts, { now }, () => passed * 1000, false),
    wallMs: () => now() * 1000,
    exclusive: false,
    logger: pino({ level: "silent" }),
    onChange: () => {},
  });
  return { open, wg, keeper, now, pass };
}

const KEYS = Array.from({ length: 6 }, newKey);
const ADDRESSES = ["10.66.42.2", "10.66.42.3", "10.66.42.9", "192.0.2.7"];

/** What happens between two ticks, to the key of this number; hands of others included. */
const deeds: Record<string, (world: World, key: string, number: number) => unknown> = {
  async sell({ open, keeper, now }, key, number) {
    if (keeper.isForeign(key)) return;
    const id = open.store.reserve(key, firstPurchase, now());
    const bought = number % 2 === 0 ? hour : data;
    if (id) await keeper.admit(id, bought, (at) => open.store.grant(id, bought, at));
  },
  reserve: ({ open, now }, key) => open.store.reserve(key, firstPurchase, now()),
  unpin({ open, now }, key) {
    const id = open.store.findByKey(key, now())?.sessionId;
    if (id) open.store.unpin(id, now());
  },
  async revoke({ open, keeper, now }, key) {
    const id = open.store.findByKey(key, now())?.sessionId;
    if (id) await keeper.revoke(id, () => open.store.revoke(id, now()));
  },
  /** As a sale does: not to a key that has a session. */
  async move({ open, keeper, now }, key, number) {
    const other = KEYS[(number + 1) % KEYS.length] ?? "";
    const session = open.store.findByKey(key, now());
    if (session?.status !== "active" || open.store.findByKey(other, now())) return;
    await keeper.move(session.sessionId, other, now(), () => {});
  },
  expire: ({ pass, keeper }) => {
    pass(HOUR / 2);
    return keeper.expire();
  },
  passTime: ({ pass }) => pass(HOUR),
  glance: ({ keeper }) => keeper.glance(),
  setByHand: ({ wg }, key, number) =>
    wg.apply({ set: [{ publicKey: key, addresses: [ADDRESSES[number % 4] ?? ""] }], remove: [] }),
  removeByHand: ({ wg }, key) => wg.apply({ set: [], remove: [key] }),
  async traffic({ wg }, key, number) {
    const peer = (await wg.look()).peers.find(({ publicKey }) => publicKey === key);
    if (peer) wg.count(key, peer.receivedBytes + number, peer.sentBytes + 7);
  },
  restart({ wg }) {
    wg.takeDown();
    wg.bringUp();
  },
};

/** Nothing that a look at everything would still find; but for who departs, which takes a look more. */
async function expectInLine({ open, wg, keeper }: World): Promise<void> {
  const view = await wg.look();
  const whole = compare(view, open.store.booked(), false);
  expect(whole.change).toEqual({ set: [], remove: [] });
  const keys = (peers: readonly { publicKey: string }[]) => peers.map(({ publicKey }) => publicKey).sort();
  expect(keys(keeper.foreignPeers())).toEqual(keys(whole.foreign));
  const held = whole.foreign.flatMap(({ allowedIps }) => allowedIps.map((cidr) => cidr.replace("/32", "")));
  for (const address of ADDRESSES) expect(open.pool.isForeign(address)).toBe(held.includes(address));
  for (const peer of view.peers) {
    const counted = open.store.live().filter(({ publicKey }) => publicKey === peer.publicKey);
    for (const { lastReceivedBytes, lastSentBytes } of counted) {
      expect([lastReceivedBytes, lastSentBytes]).toEqual([peer.receivedBytes, peer.sentBytes]);
    }
  }
}

it("a tick that looks at news alone leaves nothing that a look at everything would find", async () => {
  const deed = fc.tuple(fc.constantFrom(...Object.keys(deeds)), fc.nat({ max: KEYS.length - 1 }));
  const between = fc.array(deed, { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.array(between, { minLength: 1, maxLength: 10 }), async (rounds) => {
      const world = await makeWorld();
      try {
        await world.keeper.tick();
        for (const round of rounds) {
          for (const [name, number] of round) await deeds[name]?.(world, KEYS[number] ?? "", number);
          await world.keeper.tick();
          // What the tick took back from a foreign peer shows in a look after it.
          await world.keeper.glance();
          await expectInLine(world);
        }
      } finally {
        await world.open.close();
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);

it("more news than are looked at one by one are looked at together", async () => {
  const { open, wg, keeper } = await makeWorld();
  await keeper.tick();
  const set = Array.from({ length: 1_200 }, (_, index) => ({
    publicKey: newKey(),
    addresses: [`10.9.${Math.floor(index / 250)}.${index % 250}`],
  }));
  await wg.apply({ set, remove: [] });
  await keeper.tick();
  expect(keeper.foreignPeers()).toHaveLength(1_200);
  await wg.apply({ set: [], remove: set.map(({ publicKey }) => publicKey) });
  await keeper.tick();
  expect(keeper.foreignPeers()).toEqual([]);
  await open.close();
});

it("what another process writes into the book is seen by the next tick", async () => {
  const { open, wg, keeper, now } = await makeWorld();
  const id = open.granted(newKey(), hour, now());
  await keeper.tick();
  await keeper.tick();
  expect((await wg.look()).peers[0]?.allowedIps).toEqual(["10.66.42.2/32"]);
  const other = openBook(open.path);
  other.prepare("UPDATE sessions SET assigned_ip = '10.66.42.9' WHERE session_id = ?").run(id);
  other.close();
  await keeper.tick();
  expect((await wg.look()).peers[0]?.allowedIps).toEqual(["10.66.42.9/32"]);
  await open.close();
});

it("what a tick could not do, one after it does, without news", async () => {
  let refused: string[] = [];
  const { open, wg, keeper, now } = await makeWorld((inner) => ({
    ...inner,
    async apply({ set, remove }) {
      const taken = set.filter(({ publicKey }) => !refused.includes(publicKey));
      await inner.apply({ set: taken, remove });
      return { rejected: refused };
    },
  }));
  await keeper.tick();
  const key = newKey();
  refused = [key];
  open.granted(key, hour, now());
  await keeper.tick();
  await keeper.tick();
  expect((await wg.look()).peers).toEqual([]);
  refused = [];
  await keeper.tick();
  expect((await wg.look()).peers).toMatchObject([{ publicKey: key }]);
  await open.close();
});

it("a peer that waited for its limits comes up once they answer, whatever they took in between", async () => {
  let isSilent = false;
  const nothing = {
    whole: true,
    time: new Map(),
    data: new Map(),
    counts: new Map(),
    rates: new Map(),
    limited: new Set<string>(),
  };
  const answer = async () => {
    if (isSilent) throw new EnforcementError({ code: "no-limits", message: "silent" });
    return nothing;
  };
  const limits = createLimitKeeper(
    { look: answer, lookAtCounts: answer, apply: async () => {} },
    pino({ level: "silent" }),
  );
  const { open, wg, keeper, now, pass } = await makeWorld(undefined, limits);
  const key = newKey();
  open.granted(newKey(), hour, now());
  open.granted(key, { seconds: 2 * HOUR, bytes: 0 }, now());
  await keeper.tick();
  await keeper.tick();
  await wg.apply({ set: [], remove: [key] });
  pass(HOUR);
  isSilent = true;
  await keeper.tick();
  isSilent = false;
  await keeper.tick();
  expect((await wg.look()).peers).toMatchObject([{ publicKey: key }]);
  await open.close();
});

it("what could not be written of a tick is written by one after it, without news", async () => {
  const { open, wg, keeper, now } = await makeWorld();
  const key = newKey();
  const id = open.granted(key, data, now());
  await keeper.tick();
  wg.count(key, 500, 0);
  open.book.pragma("query_only = ON");
  await expect(keeper.tick()).rejects.toThrow(/readonly/);
  open.book.pragma("query_only = OFF");
  await keeper.tick();
  expect(open.store.find(id)?.terms.usedBytes).toBe(500);
  await open.close();
});
