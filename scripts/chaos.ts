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
    onDeath(_death, kills, crowd) {
      if (performance.now() - lastSaidMs < PROGRESS_MS) return;
      lastSaidMs = performance.now();
      const known = crowd.pursuits.filter(({ outcome }) => outcome !== undefined).length;
      console.log(
        `${seconds()} s  kills ${kills}/${options.kills}, buyers ${crowd.pursuits.length}, answered ${known}`,
      );
    },
  });
  for (const line of reportLines(result)) console.log(line);
  console.log(`${seconds()} s in all`);
  if (options.json) console.log(JSON.stringify(resultObject(options.seed, result)));
  return result.problems.length === 0 ? 0 : 1;
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
