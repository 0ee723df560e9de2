import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../eventually.ts";
import { readDownload, readUpload } from "../meter.ts";
import { startPacketStream } from "../packet-stream.ts";
import { openTunnelMarket, type SoldTunnel, type TunnelMarket, tunnelsMissing } from "../tunnel-market.ts";
import { aYear, fillBook } from "./fill-book.ts";
import { type Lane, type Measurement, measurement } from "./measurement.ts";
import { median, tookMs } from "./statistics.ts";

const TAG = "benchtun";
const MIB = 2 ** 20;
const QUOTA_MIB = 20;
const SECONDS_BOUGHT = 5;
const ROUNDS = 3;
const DOWNLOAD_MIB = 60;
const PACKET_MS = 30_000;
const SESSIONS = 10_000;
const START_MS = 300_000;
const DEFAULT_TICK_SECONDS = 5;
const TURNS = 4;

const figures = [
  "pay to first packet",
  "time overshoot, daemon alive",
  "time overshoot, daemon killed",
  "data overshoot, daemon alive",
  "data overshoot, daemon killed",
  "throughput with 10,000 sessions' rules",
] as const;

/** What a buyer has of it: real packets, the limits in the kernel. */
export const tunnels: Lane = {
  name: "tunnel",
  missing: () => tunnelsMissing(false),
  figures,
  async *run() {
    const market = await openTunnelMarket({
      tag: TAG,
      prices: [
        { amount: 3600, unit: "hour" },
        { amount: 1024, unit: "GiB" },
      ],
      enforcement: "kernel",
    });
    try {
      yield await firstPacket(market);
      yield await timeOvershoot(market, figures[1], async () => {});
      yield await timeOvershoot(market, figures[2], market.operator.kill);
      yield await dataOvershoot(market, figures[3], async () => {});
      yield await dataOvershoot(market, figures[4], market.operator.kill);
      yield await throughput(market);
    } finally {
      await market.destroy();
    }
  },
};

/** With the smallest purchases: a second for a sat, or a MiB for a sat. */
async function start({ operator }: TunnelMarket, unit: "hour" | "GiB"): Promise<void> {
  await operator.kill();
  operator.writeConfig({ minPurchase: { amount: 0.001, unit } });
  await operator.start({ timeoutMs: START_MS });
}

function connect({ world }: TunnelMarket, { conf, buyer }: SoldTunnel): Promise<void> {
  return world.bringUpBuyer(conf, buyer.wireguard.privateKey);
}

/** Against the same tunnel brought up again, with nothing to pay. */
async function firstPacket(market: TunnelMarket): Promise<Measurement> {
  await start(market, "hour");
  const paid: number[] = [];
  const bare: number[] = [];
  const upAndAnswered = async (sold: SoldTunnel) => {
    await connect(market, sold);
    await eventually(() => market.world.ping(), PACKET_MS);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const prepared = await market.prepare({ amountSat: 3600 });
    let conf = "";
    const { buyer } = prepared;
    const sold = () => ({ buyer, conf, address: "", expiresAt: 0 });
    paid.push(
      await tookMs(async () => {
        conf = (await prepared.send()).body.config ?? "";
        await upAndAnswered(sold());
      }),
    );
    bare.push(await tookMs(() => upAndAnswered(sold())));
  }
  const value = median(paid);
  return measurement(figures[0], { value, unit: "ms", ratio: value / median(bare) });
}

async function timeOvershoot(
  market: TunnelMarket,
  name: string,
  happens: () => Promise<void>,
): Promise<Measurement> {
  await start(market, "hour");
  const sold = await market.buy({ amountSat: SECONDS_BOUGHT });
  await connect(market, sold);
  const stream = await startPacketStream(market.world);
  try {
    await happens();
    await sleep(sold.expiresAt * 1000 + 3_000 - Date.now());
    const value = (await stream.seen()).lastSentAtMs / 1000 - sold.expiresAt;
    const ratio = value / SECONDS_BOUGHT;
    return measurement(name, { value, unit: "s", ratio }, { of: "value", atMost: 1 });
  } finally {
    stream.stop();
  }
}

/** What comes out of the tunnel at the buyer's, of a download larger than what he has paid for. */
async function dataOvershoot(
  market: TunnelMarket,
  name: string,
  happens: () => Promise<void>,
): Promise<Measurement> {
  await start(market, "GiB");
  const sold = await market.buy({ unit: "GiB", amountSat: QUOTA_MIB });
  const { world } = market;
  const before = (await readUpload(world)).bytes;
  await connect(market, sold);
  await happens();
  await world
    .fetchThroughTunnel({ path: `/bytes/${3 * QUOTA_MIB * MIB}`, timeoutSeconds: 20 })
    .catch(() => undefined);
  const passed = (await readDownload(world, "buyer1")).bytes + (await readUpload(world)).bytes - before;
  const bought = QUOTA_MIB * MIB;
  const over = { value: (passed - bought) / 1024, unit: "KiB", ratio: passed / bought };
  return measurement(name, over, { of: "value", atMost: 64 });
}

/**
 * The same downloads by the same daemon, ticking as it does by default, with the limits in the kernel and without any
 * rule of ours: by turns, since the machine is not the same from one minute to the next.
 */
async function throughput(market: TunnelMarket): Promise<Measurement> {
  const { operator } = market;
  await operator.kill();
  fillBook(operator.databasePath, SESSIONS, () => aYear);
  operator.writeConfig({ tickSeconds: DEFAULT_TICK_SECONDS });
  await start(market, "hour");
  const sold = await market.buy({ amountSat: 3600 });
  const rates: Record<"kernel" | "daemon", number[]> = { kernel: [], daemon: [] };
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const enforcement of ["kernel", "daemon"] as const) {
      operator.writeConfig({ enforcement });
      await start(market, "hour");
      rates[enforcement].push(...(await downloadRates(market, sold)));
    }
  }
  const [value, without] = [median(rates.kernel), median(rates.daemon)];
  const rate = { value, unit: "MiB/s", ratio: value / without };
  return measurement(figures[5], rate, { of: "ratio", atLeast: 0.95 });
}

async function downloadRates(market: TunnelMarket, sold: SoldTunnel): Promise<number[]> {
  await connect(market, sold);
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const url = new URL(`/bytes/${DOWNLOAD_MIB * MIB}`, market.world.webUrl).href;
    const ms = await tookMs(() =>
      market.world.exec("buyer1", ["curl", "--silent", "--fail", "--output", "/dev/null", url]),
    );
    rates.push(DOWNLOAD_MIB / (ms / 1000));
  }
  return rates;
}
