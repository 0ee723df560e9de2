import { startMintProcess } from "../chaos/mint-child.ts";
import { nutshellMissing, startNutshell } from "../nutshell.ts";
import { type Lane, type Measurement, measurement } from "./measurement.ts";
import { cpuMsOf } from "./process-figures.ts";
import { openSaleMarket, type SaleMarket } from "./sale-market.ts";
import { perSecond, quantile, tookMs } from "./statistics.ts";

/** Until the engine has compiled what it runs most; the same number of bare swaps. */
const WARM_UP = 40;
const ONE_BY_ONE = 40;
const BUYERS = [
  { buyers: 8, sales: 96 },
  { buyers: 50, sales: 150 },
];
/** More swaps than these would not be prepared at once. */
const SWAPS_AT_ONCE = 32;
const SLOWDOWN_TARGET = 1.2;
/** How many buyers at once the targets are for. */
const JUDGED_AT = 8;
const SHARE_TARGET = 0.9;
const OWN_MINT_TARGET = 60;
const CPU_TARGET_MS = 12;

export const ownMintSales: Lane = {
  name: "sale",
  missing: async () => undefined,
  figures: figuresAt("our mint"),
  async *run() {
    const mint = await startMintProcess(0, "v2", false, "fast");
    try {
      yield* measureSales("our mint", mint.url, true);
    } finally {
      await mint.stop();
    }
  },
};

export function nutshellSales(venv: string | undefined): Lane {
  return {
    name: "sale-nutshell",
    missing: async () => nutshellMissing(venv, false),
    figures: figuresAt("Nutshell"),
    async *run() {
      const mint = await startNutshell({ venv: venv ?? "" });
      try {
        yield* measureSales("Nutshell", mint.url, false);
      } finally {
        await mint.stop();
      }
    },
  };
}

function figuresAt(mint: string): string[] {
  const rates = [1, ...BUYERS.map(({ buyers }) => buyers)].map((buyers) => rateName(mint, buyers));
  return [`sale p50, ${mint}`, `sale p95, ${mint}`, ...rates, cpuName(mint)];
}

function cpuName(mint: string): string {
  return `CPU a sale, ${mint}`;
}

function rateName(mint: string, buyers: number): string {
  return `sales a second, ${mint}, ${buyers} at once`;
}

/** Each sale is held against a swap of the same kind of token at the same mint, in turns. */
async function* measureSales(mint: string, url: string, isOurs: boolean): AsyncGenerator<Measurement> {
  const market = await openSaleMarket(url);
  try {
    yield* await latencies(market, mint);
    yield* rates(market, mint, isOurs);
  } finally {
    await market.close();
  }
}

async function latencies(market: SaleMarket, mint: string): Promise<Measurement[]> {
  const { sales, swaps } = await market.prepare(WARM_UP + ONE_BY_ONE);
  const saleMs: number[] = [];
  const swapMs: number[] = [];
  for (const [index, sale] of sales.entries()) {
    swapMs.push(await tookMs(swaps[index] ?? sale));
    saleMs.push(await tookMs(sale));
  }
  const compare = (share: number) => {
    const value = quantile(saleMs.slice(WARM_UP), share);
    return { value, unit: "ms", ratio: value / quantile(swapMs.slice(WARM_UP), share) };
  };
  const mean = (all: number[]) => all.slice(WARM_UP).reduce((sum, ms) => sum + ms, 0) / ONE_BY_ONE;
  return [
    measurement(`sale p50, ${mint}`, compare(0.5), { of: "ratio", atMost: SLOWDOWN_TARGET }),
    measurement(`sale p95, ${mint}`, compare(0.95)),
    measurement(rateName(mint, 1), {
      value: 1000 / mean(saleMs),
      unit: "sales/s",
      ratio: mean(swapMs) / mean(saleMs),
    }),
  ];
}

async function* rates(market: SaleMarket, mint: string, isOurs: boolean): AsyncGenerator<Measurement> {
  for (const { buyers, sales: count } of BUYERS) {
    const { sales, swaps } = await market.prepare(count);
    const swapRate = await perSecond(swaps, Math.min(buyers, SWAPS_AT_ONCE));
    const cpuBeforeMs = cpuMsOf(market.operator.pid());
    const value = await perSecond(sales, buyers);
    const cpuMs = (cpuMsOf(market.operator.pid()) - cpuBeforeMs) / count;
    const rate = { value, unit: "sales/s", ratio: value / swapRate };
    const name = rateName(mint, buyers);
    if (buyers !== JUDGED_AT) {
      yield measurement(name, rate);
      continue;
    }
    yield measurement(name, rate, { of: "ratio", atLeast: SHARE_TARGET });
    if (isOurs) yield measurement(`${name}, in all`, rate, { of: "value", atLeast: OWN_MINT_TARGET });
    yield measurement(cpuName(mint), { value: cpuMs, unit: "ms" }, { of: "value", atMost: CPU_TARGET_MS });
  }
}
