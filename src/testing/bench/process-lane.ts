import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createOperator, type Operator } from "../operator.ts";
import { startRelay, type TestRelay } from "../relay.ts";
import { aYear, fillBook, WIDE_SUBNET } from "./fill-book.ts";
import { type Lane, type Measurement, measurement } from "./measurement.ts";
import { residentMiBOf } from "./process-figures.ts";
import { median, tookMs } from "./statistics.ts";

const STARTS = 5;
const SESSIONS = 10_000;
const START_MS = 120_000;
const SETTLE_MS = 15_000;
const bundle = join(import.meta.dirname, "../../../dist/index.cjs");
const unit = join(import.meta.dirname, "../../../scripts/europa-node.service");

const figures = [
  "start to listening, empty book",
  "start to listening, 10,000 sessions",
  "start again after kill -9, 10,000 sessions",
  "memory, empty book",
  "memory, 10,000 sessions",
  "bundle",
] as const;

/** In memory, for its own sake: what `wg` takes with so many peers is the lane "interface". */
export const startAndMemory: Lane = {
  name: "process",
  missing: async () => undefined,
  figures,
  async *run() {
    const relay = await startRelay();
    try {
      yield bundleSize();
      yield* await emptyBook(relay);
      yield* await fullBook(relay);
    } finally {
      await relay.stop();
    }
  },
};

function operatorOn(relay: TestRelay): Promise<Operator> {
  const market = { relays: [relay.url], mints: [], cashuEnabled: false };
  const environment = { NODE_OPTIONS: nodeOptions() };
  return createOperator({ ...market, subnet: WIDE_SUBNET, tickSeconds: 1, logLevel: "info", environment });
}

/** As the unit and the image start it. */
function nodeOptions(): string {
  const [, options] = /^ExecStart=\S+ (.*) dist\/index\.cjs$/m.exec(readFileSync(unit, "utf8")) ?? [];
  if (options === undefined) throw new Error("the unit does not say how it is started");
  return options;
}

/** Held against the same program asked for its version: Node and the bundle, and nothing done. */
async function emptyBook(relay: TestRelay): Promise<Measurement[]> {
  const operator = await operatorOn(relay);
  try {
    const startMs: number[] = [];
    const bareMs: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      bareMs.push(await tookMs(() => operator.command(["--version"])));
      startMs.push(await tookMs(() => operator.start()));
      if (start < STARTS - 1) await operator.stop();
    }
    const [value, memory] = [median(startMs), await restingMiB(operator)];
    return [
      measurement(
        figures[0],
        { value, unit: "ms", ratio: value / median(bareMs) },
        { of: "value", atMost: 1000 },
      ),
      measurement(figures[3], { value: memory, unit: "MiB", ratio: memory / (await bareNodeMiB()) }),
    ];
  } finally {
    await operator.destroy();
  }
}

async function fullBook(relay: TestRelay): Promise<Measurement[]> {
  const operator = await operatorOn(relay);
  try {
    const bareMs = await tookMs(() => operator.command(["--version"]));
    fillBook(operator.databasePath, SESSIONS, () => aYear);
    const first = await tookMs(() => operator.start({ timeoutMs: START_MS }));
    await operator.kill();
    const again = await tookMs(() => operator.start({ timeoutMs: START_MS }));
    const memory = await restingMiB(operator);
    return [
      measurement(figures[1], { value: first, unit: "ms", ratio: first / bareMs }),
      measurement(figures[2], { value: again, unit: "ms", ratio: again / bareMs }),
      measurement(
        figures[4],
        { value: memory, unit: "MiB", ratio: memory / (await bareNodeMiB()) },
        { of: "value", atMost: 128 },
      ),
    ];
  } finally {
    await operator.destroy();
  }
}

/** After a few ticks. */
async function restingMiB(operator: Operator): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return residentMiBOf(operator.pid());
}

async function bareNodeMiB(): Promise<number> {
  const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"]);
  await once(child.stdout, "data");
  const memory = residentMiBOf(child.pid ?? 0);
  child.kill("SIGKILL");
  return memory;
}

function bundleSize(): Measurement {
  return measurement(figures[5], { value: statSync(bundle).size / 2 ** 20, unit: "MiB" });
}
