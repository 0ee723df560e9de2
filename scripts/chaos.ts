import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { buildMortalDaemon } from "../src/testing/chaos/mortal-daemon.ts";
import { reportLines, resultObject } from "../src/testing/chaos/report.ts";
import { runChaos } from "../src/testing/chaos/run.ts";

const PROGRESS_MS = 5_000;

const usage = `pnpm chaos: kills the daemon in the middle of sales, and looks what became of the money.

  --kills N    how many times (default 30)
  --seed S     the same seed, the same buyers, faults and kills (default: a new one)
  --mint URL   a mint that runs already, in the place of our own
  --json       the last line is one JSON object
Exit codes: 0 nothing lost and nothing granted twice, 1 something was, 64 wrong arguments.
`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "30" },
      seed: { type: "string", default: String(randomInt(2 ** 31)) },
      mint: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const kills = Number(values.kills);
  const seed = Number(values.seed);
  if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) throw new Error("whole numbers only");
  return { kills, seed, json: values.json, ...(values.mint === undefined ? {} : { mintUrl: values.mint }) };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch {
    console.error(usage);
    return 64;
  }
  buildMortalDaemon();
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  let lastSaidMs = started;
  console.log(`seed ${options.seed}, ${options.kills} kills, ${options.mintUrl ?? "our own mint"}`);
  const result = await runChaos({
    ...options,
    say: (line) => console.log(`${seconds()} s  ${line}`),
    onProgress({ kills, buyers, answered }) {
      if (performance.now() - lastSaidMs < PROGRESS_MS) return;
      lastSaidMs = performance.now();
      console.log(`${seconds()} s  kills ${kills}/${options.kills}, buyers ${buyers}, answered ${answered}`);
    },
  });
  for (const line of reportLines(result)) console.log(line);
  console.log(`${seconds()} s in all`);
  if (options.json) console.log(JSON.stringify(resultObject(options.seed, result)));
  return result.problems.length === 0 ? 0 : 1;
}

// An exit takes the daemons along; a signal alone would leave them running.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    console.error(`ended by ${signal}: nothing was judged`);
    process.exit(1);
  });
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
