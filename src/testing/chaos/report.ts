import type { ChaosResult } from "./run.ts";

/** What a run came to, for reading. */
export function reportLines(result: ChaosResult): string[] {
  const { deaths, answers, sales, satIn, granted, refusedUnspent, owed, lost, doubleGranted } = result;
  return [
    `kills by state: ${counted(deaths.map(({ state }) => state))}`,
    `kills at: ${counted(deaths.map(({ at }) => at))}`,
    `answers: ${[...answers].map(([name, count]) => `${name} ${count}`).join(", ")}`,
    `sales ${sales}, sat in ${satIn}, granted ${granted}, refused unspent ${refusedUnspent}, owed ${owed}`,
    `lost ${lost} sat, granted twice ${doubleGranted}`,
    ...result.problems.map((problem) => `PROBLEM: ${problem}`),
    ...(result.folder === undefined ? [] : [`the operator's folder is kept: ${result.folder}`]),
  ];
}

/** The same for programs. Amounts in sat. */
export function resultObject(seed: number, result: ChaosResult) {
  const { sales, satIn, granted, refusedUnspent, owed, lost, doubleGranted } = result;
  const kills = result.deaths.length;
  return { seed, kills, sales, satIn, granted, refusedUnspent, owed, lost, doubleGranted };
}

function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
