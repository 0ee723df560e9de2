import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { mbitBetween, type Reading, readDownload, readUpload } from "../testing/meter.ts";
import type { BuyerPlace } from "../testing/namespaces.ts";
import { type PacketStream, startPacketStream, startUpload } from "../testing/packet-stream.ts";
import {
  openTunnelMarket,
  type PurchaseChoice,
  type SoldTunnel,
  type TunnelMarket,
  tunnelsMissing,
} from "../testing/tunnel-market.ts";

const missing = await tunnelsMissing(Boolean(process.env.CI));
const TIER_MBIT = 10;
const DEFAULT_MBIT = 20;
/** 40 Mbit/s: more than any rate here. */
const FLOOD = 41;
const WINDOW_MS = 4_000;
/** What a rate passes at once after a pause: a second's worth, and one packet of many segments. */
const bucketMbit = (rateMbit: number) => rateMbit + (65_536 * 8) / 1e6;

describe.skipIf(missing)(`rates, with real packets${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let market: TunnelMarket;
  const running: { stop(): void }[] = [];

  beforeAll(async () => {
    market = await openTunnelMarket({
      tag: "e2espeed",
      buyers: 5,
      prices: [
        { amount: 36, unit: "hour", rateMbit: TIER_MBIT },
        { amount: 100, unit: "day" },
      ],
      rateMbit: DEFAULT_MBIT,
      enforcement: "kernel",
    });
  }, 90_000);
  beforeEach(() => market.operator.start());
  afterEach(async () => {
    for (const one of running.splice(0)) one.stop();
    await market.operator.kill();
  });
  afterAll(() => market?.destroy(), 30_000);

  async function connect(buyer: BuyerPlace, choice: PurchaseChoice): Promise<SoldTunnel> {
    const sold = await market.buy(choice);
    await market.world.bringUpBuyer(sold.conf, sold.buyer.wireguard.privateKey, buyer);
    return sold;
  }
  async function download(buyer: BuyerPlace, packetsIn10Ms?: number): Promise<PacketStream> {
    const stream = await startPacketStream(market.world, buyer, packetsIn10Ms);
    running.push(stream);
    return stream;
  }
  const upload = async (buyer: BuyerPlace) => running.push(await startUpload(market.world, buyer, FLOOD));

  /**
   * One window at the rate is enough: where the machine has no time for the packets there are too few of them, or what
   * they left of the rate comes after. More than the rate and what may be left of it never passes.
   */
  async function runsAt(rateMbit: number, read: () => Promise<Reading>): Promise<void> {
    const start = await read();
    await eventually(
      async () => (await read()).bytes - start.bytes > (2 * bucketMbit(rateMbit) * 1e6) / 8,
      60_000,
    );
    const seen: number[] = [];
    while (seen.length < 5 && !seen.some((mbit) => Math.abs(mbit / rateMbit - 1) < 0.05)) {
      const from = await read();
      await sleep(WINDOW_MS);
      const to = await read();
      seen.push(mbitBetween(from, to));
      const mostMbit = 1.05 * rateMbit + (bucketMbit(rateMbit) * 1000) / (to.atMs - from.atMs);
      expect(seen.at(-1)).toBeLessThan(mostMbit);
    }
    const nearest = Math.min(...seen.map((mbit) => Math.abs(mbit / rateMbit - 1)));
    expect(nearest).toBeLessThan(0.05);
  }

  it("a tier of 10 Mbit/s is 10 Mbit/s in both directions, and its neighbour is faster meanwhile", async () => {
    const { world } = market;
    await connect("buyer1", { unit: "hour" });
    await connect("buyer2", { unit: "day" });
    await download("buyer1", FLOOD);
    await runsAt(TIER_MBIT, () => readDownload(world, "buyer1"));
    await download("buyer2", FLOOD);
    await runsAt(DEFAULT_MBIT, () => readDownload(world, "buyer2"));
    await runsAt(TIER_MBIT, () => readDownload(world, "buyer1"));
    for (const one of running.splice(0)) one.stop();
    await upload("buyer1");
    await runsAt(TIER_MBIT, () => readUpload(world));
  });

  it("four who take all that they get leave a modest one his share", async () => {
    const { world } = market;
    await connect("buyer5", { unit: "day" });
    const modest = await download("buyer5");
    for (const greedy of ["buyer1", "buyer2", "buyer3", "buyer4"] as const) {
      await connect(greedy, { unit: "day" });
      await download(greedy, FLOOD);
    }
    for (const greedy of ["buyer1", "buyer4"] as const)
      await runsAt(DEFAULT_MBIT, () => readDownload(world, greedy));
    await eventually(async () => {
      const before = await modest.seen();
      await sleep(1_000);
      const after = await modest.seen();
      return after.received - before.received > 0.95 * (after.last - before.last);
    }, 30_000);
  });

  it("a faster tier bought during a download speeds it up, and breaks no connection", async () => {
    const { world } = market;
    const slow = await connect("buyer1", { unit: "hour" });
    const bytes = 12_000_000;
    const page = world.fetchThroughTunnel({ path: `/bytes/${bytes}`, timeoutSeconds: 30 });
    const start = await readDownload(world, "buyer1");
    await eventually(async () => (await readDownload(world, "buyer1")).bytes - start.bytes > 3e6, 60_000);
    await market.buy({ unit: "day", buyer: slow.buyer });
    expect((await market.limits()).rates.get(slow.address)).toBe(DEFAULT_MBIT);
    expect((await readDownload(world, "buyer1")).bytes - start.bytes).toBeLessThan(bytes);
    expect(await page).toHaveLength(bytes);
  });
});
