import { cpus, release, totalmem, type } from "node:os";
import { parseArgs } from "node:util";
import { lanes } from "../src/testing/bench/lanes.ts";
import { type Lane, type Measurement, notMeasured } from "../src/testing/bench/measurement.ts";
import { overRuns } from "../src/testing/bench/runs.ts";
import { tableLines } from "../src/testing/bench/table.ts";
import buildDaemon from "../src/testing/build-daemon.ts";

const usage = `pnpm bench: how fast the daemon is, each figure beside one of the same run.

  --only NAME  this part alone, may be repeated: ${lanes.map(({ name }) => name).join(", ")}
  --runs N     all of it so often, at most 9 times: the middle one is shown, with the spread of all
  --json       the last line is one array of {name, value, unit, ratio, target, met}
Exit codes: 0 measured, 1 a part failed, 64 wrong arguments. A missed target is no failure.
`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [] },
      runs: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.filter((name) => !lanes.some((lane) => lane.name === name));
  if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(", ")}`);
  const chosen = values.only.length === 0 ? lanes : lanes.filter(({ name }) => values.only.includes(name));
  if (!/^[1-9]$/.test(values.runs)) throw new Error("--runs: a number from 1 to 9");
  return { chosen, runs: Number(values.runs), json: values.json };
}

function machine(): string {
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores, ${memoryGiB} GiB, Node ${process.versions.node}, ${type()} ${release().split(".", 2).join(".")}`;
}

const FAILED = "it failed";

/** What there was until it failed, or all. */
async function measure(lane: Lane): Promise<{ measured: Measurement[]; why: string | undefined }> {
  const measured: Measurement[] = [];
  const missing = await lane.missing();
  if (missing !== undefined) return { measured, why: missing };
  try {
    for await (const figure of lane.run()) measured.push(figure);
    return { measured, why: undefined };
  } catch (error) {
    console.error(error);
    return { measured, why: FAILED };
  }
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    console.error(error instanceof Error ? error.message : "wrong arguments");
    console.error(usage);
    return 64;
  }
  buildDaemon();
  const runs: Measurement[][] = [];
  let failed = false;
  while (runs.length < options.runs) {
    const measurements: Measurement[] = [];
    for (const lane of options.chosen) {
      console.error(`measuring: ${lane.name}`);
      const { measured, why } = await measure(lane);
      failed ||= why === FAILED;
      const left = lane.figures.filter((name) => !measured.some((figure) => figure.name === name));
      measurements.push(...measured, ...left.map((name) => notMeasured(name, why ?? FAILED)));
    }
    runs.push(measurements);
  }
  const measurements = overRuns(runs);
  console.log(`${machine()}\n`);
  for (const line of tableLines(measurements)) console.log(line);
  if (options.json)
    console.log(JSON.stringify(measurements.map(({ why: _, spread: __, ...figure }) => figure)));
  return failed ? 1 : 0;
}

// An exit takes what the lanes started along; a signal alone would leave it running.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

main().then(
  (exitCode) => process.exit(exitCode),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
