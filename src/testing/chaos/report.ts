import { BOUNDARIES } from "../../boundary.ts";
import type { ChaosResult } from "./run.ts";

/** What a run came to, for reading. */
export function reportLines(result: ChaosResult): string[] {
  const { deaths, answers, sales, satIn, granted, refusedUnspent, takenBack, owed, lightning } = result;
  const reached = new Set(deaths.map(({ at }) => at));
  const missed = BOUNDARIES.filter((name) => !reached.has(name));
  return [
    `kills by state: ${counted(deaths.map(({ state }) => state))}`,
    `kills at: ${counted(deaths.map(({ at }) => at))}`,
    `killed at ${BOUNDARIES.length - missed.length} of ${BOUNDARIES.length} boundaries, not at: ${missed.join(", ") || "none"}`,
    `answers: ${[...answers].map(([name, count]) => `${name} ${count}`).join(", ")}`,
    `sales ${sales}: granted ${granted}, refused unspent ${refusedUnspent}, taken back by their buyers ${takenBack}`,
    `of these over Lightning ${lightning.sales}: granted ${lightning.granted}, sat in ${lightning.satIn}; ${lightning.invoices - lightning.sales} more invoices were not paid`,
    `sat in ${satIn}, owed ${owed}, lost ${result.lost} sat, granted twice ${result.doubleGranted}`,
    ...result.problems.map((problem) => `PROBLEM: ${problem}`),
    ...result.folders.map((folder) => `the operator's folder is kept: ${folder}`),
  ];
}

/** The same for programs. Amounts in sat; `lightning` is a part of the others. */
export function resultObject(seed: number, result: ChaosResult) {
  const { sales, satIn, granted, refusedUnspent, owed, lost, doubleGranted, lightning } = result;
  const kills = result.deaths.length;
  return { seed, kills, sales, satIn, granted, refusedUnspent, owed, lost, doubleGranted, lightning };
}

function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
