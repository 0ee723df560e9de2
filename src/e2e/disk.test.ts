import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { parseListing } from "../protocol/listing.ts";
import { LISTING_KIND } from "../protocol/marketplace.ts";
import { type Answer, type Buyer, createBuyer, findListings } from "../testing/buyer.ts";
import { mintToken, proofStates } from "../testing/ecash.ts";
import { eventually } from "../testing/eventually.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { startPing } from "../testing/running-ping.ts";
import {
  failingDiskMissing,
  mountFailingDisk,
  mountSmallDisk,
  mountsMissing,
  type SmallDisk,
} from "../testing/small-disk.ts";
import { openTunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";
import { expectNothingInternal, expectRefused } from "./expectations.ts";

const DAY = { amount: 100, currency: "sat", unit: "day" } as const;
const DISK_MIB = 32;

const noMounts = mountsMissing(Boolean(process.env.CI));
const noFailingDisk = noMounts ?? failingDiskMissing();
const noTunnels = noMounts ?? (await tunnelsMissing(Boolean(process.env.CI)));

interface Market {
  relay: TestRelay;
  mint: TestMint;
  operator: Operator;
  /** Statuses of the listings that the relay was offered. It takes none, so that they may change at once. */
  offered: string[];
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const dataFolder = (operator: Operator) => join(operator.folder, "data");

async function openMarket(): Promise<Market> {
  const relay = await startRelay();
  closing.push(() => relay.stop());
  const mint = await startMint({ feePpk: 100 });
  closing.push(() => mint.stop());
  const operator = await createOperator({ relays: [relay.url], mints: [mint.url], settleSeconds: 2 });
  closing.push(() => operator.destroy());
  const offered: string[] = [];
  relay.policy = (event) => {
    if (event.kind !== LISTING_KIND) return "accept";
    const parsed = parseListing(event);
    offered.push(parsed.ok ? parsed.listing.status : parsed.reason);
    return { refuse: "error: not now" };
  };
  return { relay, mint, operator, offered };
}

/** A market whose book is on a small disk of its own. */
async function openOnSmallDisk(): Promise<Market & { disk: SmallDisk }> {
  const market = await openMarket();
  const disk = mountSmallDisk(dataFolder(market.operator), DISK_MIB);
  closing.push(async () => {
    await market.operator.kill();
    disk.unmount();
  });
  await market.operator.start();
  return { ...market, disk };
}

interface Purchase {
  buyer: Buyer;
  send(): Promise<Answer>;
  states(): Promise<string[]>;
}

async function prepare({ mint, operator }: Market, buyer = createBuyer()): Promise<Purchase> {
  const lock = { pubkey: operator.p2pk };
  const { token, proofs } = await mintToken({ mintUrl: mint.url, amountSat: DAY.amount, lock });
  const { url, publicHost, pubkey: operatorPubkey, dTag } = operator;
  return {
    buyer,
    send: () => buyer.purchase({ url, publicHost, operatorPubkey, dTag, price: DAY, token }),
    states: () => proofStates(mint.url, proofs),
  };
}

const prepareMany = (market: Market, count: number) =>
  Promise.all(Array.from({ length: count }, () => prepare(market)));

/** Repeats the very request, as a buyer's client is told to, until it is not 503. */
async function claim({ send }: Purchase): Promise<Answer> {
  let answer: Answer | undefined;
  await eventually(async () => {
    answer = await send();
    return answer.status !== 503;
  }, 20_000);
  return answer as Answer;
}

async function health({ operator }: Market): Promise<{ status: number; database: string; wallet: string }> {
  const response = await fetch(`${operator.url}/health`);
  return { status: response.status, ...((await response.json()) as { database: string; wallet: string }) };
}

const databaseIs = (market: Market, what: RegExp) =>
  eventually(async () => what.test((await health(market)).database), 5_000);

/** What the buyers were told while the book could not be written: to come again, in words, and nothing of ours. */
function expectHonest(answers: readonly Answer[], market: Market, purchases: readonly Purchase[]): void {
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 200) continue;
    expect(["tunnel-unavailable", "mint-unreachable"]).toContain(answer.body.reason);
    expectRefused(answer, { status: 503, reason: answer.body.reason ?? "" });
    expect(answer.body.message).toMatch(/repeat this (very )?request|your (payment|token) was not touched/);
    expectNothingInternal(answer, market.operator, (purchases[index] as Purchase).buyer);
  }
}

/** The book from outside, whole and balanced: so many sales, all granted, each swapped once. */
async function expectAllGranted(market: Market, sales: number): Promise<void> {
  const { mint, operator } = market;
  const book = new Database(operator.databasePath, { readonly: true });
  try {
    const one = (sql: string) => book.prepare(sql).pluck().get();
    expect(one("PRAGMA integrity_check")).toBe("ok");
    expect(book.prepare("SELECT state, count(*) AS n FROM sales GROUP BY state").all()).toEqual([
      { state: "granted", n: sales },
    ]);
    expect(one("SELECT sum(face_sat) FROM sales")).toBe(sales * DAY.amount);
    expect(one("SELECT sum(face_sat - fee_sat) FROM sales")).toBe(one("SELECT sum(amount_sat) FROM proofs"));
    expect(one("SELECT count(*) FROM sessions WHERE status = 'active'")).toBe(sales);
    expect(one("SELECT count(*) FROM sale_inputs WHERE sale_id NOT IN (SELECT sale_id FROM sales)")).toBe(0);
  } finally {
    book.close();
  }
  expect(mint.swapCount()).toBe(sales);
  await eventually(async () => (await health(market)).wallet === "ok", 15_000);
}

/** Does it while the mint carries out the swap of this number, so that its answer meets what was done. */
function amidSwap({ mint }: Market, number: number, what: () => void): void {
  mint.fault = (request) => {
    if (request.path === "/v1/swap" && request.number === number) what();
    return undefined;
  };
}

describe.skipIf(noMounts)(`a full disk${noMounts ? ` (skipped: ${noMounts})` : ""}`, () => {
  it("in the middle of sales: no sat is lost, new ones are refused unswapped, and all goes on when there is room", async () => {
    const market = await openOnSmallDisk();
    const { disk, operator, offered, relay } = market;
    const purchases = await prepareMany(market, 12);
    amidSwap(market, 4, () => disk.fill());
    const answers = await Promise.all(purchases.map(({ send }) => send()));
    expectHonest(answers, market, purchases);
    expect(answers.filter(({ status }) => status === 503).length).toBeGreaterThan(0);

    await databaseIs(market, /cannot be written \(SQLITE_FULL\)/);
    expect((await health(market)).status).toBe(503);
    const late = await prepare(market);
    const refused = await late.send();
    expectRefused(refused, { status: 503, reason: "tunnel-unavailable" });
    expect(refused.body.message).toMatch(/not touched/);
    expect(new Set(await late.states())).toEqual(new Set(["UNSPENT"]));
    await eventually(() => offered.at(-1) === "sold", 10_000);

    disk.makeRoom();
    await databaseIs(market, /^ok$/);
    expect((await health(market)).status).toBe(200);
    await eventually(() => offered.at(-1) === "active", 10_000);
    for (const purchase of [...purchases, late]) {
      expect((await claim(purchase)).body.config).toContain("[Interface]");
    }
    await expectAllGranted(market, 13);
    relay.policy = () => "accept";
    await eventually(async () => (await findListings(relay.url))[0]?.listing.status === "active", 20_000);
    expect(operator.events("database-trouble").length).toBeGreaterThan(0);
    expect(operator.events("crashed")).toEqual([]);
    expect(await operator.stop()).toBe(0);
  });

  it("and kill -9 then: no start without room, in plain words; with room each sale is made good", async () => {
    const market = await openOnSmallDisk();
    const { disk, operator } = market;
    const purchases = await prepareMany(market, 6);
    amidSwap(market, 2, () => disk.fill());
    const answers = await Promise.all(purchases.map(({ send }) => send()));
    expectHonest(answers, market, purchases);
    await operator.kill();

    expect(await operator.startAndWait()).toBe(1);
    const said = String(operator.events("start-failed").at(-1)?.msg);
    expect(said).toContain(operator.databasePath);
    expect(said).toMatch(/cannot be written \(SQLITE_\w+\): make room/);
    disk.makeRoom();
    await operator.start();
    for (const purchase of purchases) expect((await claim(purchase)).status).toBe(200);
    await expectAllGranted(market, 6);
  });

  it("that is only nearly full: nothing new is sold, what was sold goes on", async () => {
    const market = await openOnSmallDisk();
    const first = await prepare(market);
    const sold = await first.send();
    market.disk.fill(2 ** 20);
    await databaseIs(market, /cannot grow: its disk has less than 8 MiB left/);
    expect((await health(market)).status).toBe(503);
    const stranger = await prepare(market);
    expectRefused(await stranger.send(), { status: 503, reason: "tunnel-unavailable" });
    expect(await first.send()).toMatchObject({ status: 200, body: sold.body });
    const renewal = await prepare(market, first.buyer);
    const renewed = await renewal.send();
    expect(renewed.body.expires_at).toBe((sold.body.expires_at as number) + 86_400);
    market.disk.makeRoom();
    await databaseIs(market, /^ok$/);
    expect((await stranger.send()).status).toBe(200);
  });

  it("of a daemon that ends, and one that is read-only at the next start, keep the book whole", async () => {
    const market = await openOnSmallDisk();
    const { disk, operator } = market;
    const purchase = await prepare(market);
    const sold = await purchase.send();
    disk.fill();
    expect(await operator.stop()).toBe(0);
    disk.makeRoom();
    disk.setReadOnly(true);
    expect(await operator.startAndWait()).toBe(1);
    expect(String(operator.events("start-failed").at(-1)?.msg)).toMatch(
      /cannot be written \((SQLITE_|EROFS)\w*\): make room on its disk, or let the daemon write there/,
    );
    disk.setReadOnly(false);
    await operator.start();
    expect(await purchase.send()).toMatchObject({ status: 200, body: sold.body });
    await expectAllGranted(market, 1);
  });
});

describe.skipIf(noFailingDisk)(
  `a disk that fails${noFailingDisk ? ` (skipped: ${noFailingDisk})` : ""}`,
  () => {
    it("and turns read-only in the middle of sales: refused, nothing lost, made good after a restart", async () => {
      const market = await openMarket();
      const { operator } = market;
      const disk = mountFailingDisk(join(operator.folder, "disk.img"), dataFolder(operator), DISK_MIB);
      closing.push(async () => {
        await operator.kill();
        disk.unmount();
      });
      await operator.start();
      const purchases = await prepareMany(market, 6);
      amidSwap(market, 2, () => disk.fail());
      const answers = await Promise.all(purchases.map(({ send }) => send()));
      expectHonest(answers, market, purchases);
      await databaseIs(market, /cannot be written \(SQLITE_/);
      const late = await prepare(market);
      expectRefused(await late.send(), { status: 503, reason: "tunnel-unavailable" });
      expect(new Set(await late.states())).toEqual(new Set(["UNSPENT"]));
      await operator.kill();

      disk.unmount();
      disk.mount();
      await operator.start();
      for (const purchase of [...purchases, late]) expect((await claim(purchase)).status).toBe(200);
      await expectAllGranted(market, 7);
    });
  },
);

describe.skipIf(noTunnels)(`tunnels on a full disk${noTunnels ? ` (skipped: ${noTunnels})` : ""}`, () => {
  it("stay, lose no packet, and heal; the traffic is counted when there is room", async () => {
    const market = await openTunnelMarket({
      tag: "e2edisk",
      buyers: 1,
      prices: [{ amount: 10, unit: "GiB" }],
    });
    const { operator, world } = market;
    closing.push(() => market.destroy());
    const disk = mountSmallDisk(dataFolder(operator), DISK_MIB);
    closing.push(async () => {
      await operator.kill();
      disk.unmount();
    });
    await operator.start();
    const { buyer, conf, address } = await market.buy({ unit: "GiB" });
    const { publicKey, privateKey } = buyer.wireguard;
    await world.bringUpBuyer(conf, privateKey);
    const ping = await startPing(world, "203.0.113.10");
    disk.fill();
    await eventually(async () => (await market.health()).status === 503);
    expect((await market.health()).reason).toMatch(/database/);
    await world.fetchThroughTunnel({ path: "/bytes/500000" });
    // Some ticks long: each of them finds traffic that it cannot write down.
    await sleep(2_500);
    const { transmitted, received } = await ping.stop();
    expect([transmitted > 20, received]).toEqual([true, transmitted]);

    await world.tearDownWg0();
    await eventually(async () => /no WireGuard interface/.test((await market.health()).wireguard));
    await world.bringUpWg0();
    await eventually(async () => (await market.peers()).get(publicKey) === `${address}/32`);
    await eventually(async () => (await market.health()).wireguard === "ok");
    await world.bringUpBuyer(conf, privateKey);
    await world.fetchThroughTunnel({ path: "/bytes/500000" });
    expect(market.booked(publicKey).data_used_bytes).toBeLessThan(100_000);

    disk.makeRoom();
    await eventually(async () => (await market.health()).status === 200);
    await eventually(() => market.booked(publicKey).data_used_bytes > 500_000);
    expect((await market.buy({ unit: "GiB" })).address).not.toBe(address);
    expect(operator.events("crashed")).toEqual([]);
  });
});
