import type { LightningFigures } from "./check-invoices.ts";
import { sum } from "./evidence.ts";
import { createRandom } from "./random.ts";
import type { Verdict } from "./verdict.ts";
import { runWorld, type WorldResult } from "./world.ts";

export interface ChaosOptions {
  kills: number;
  seed: number;
  /** Any running mint; ours when left out. */
  mintUrl?: string;
  onProgress?: (progress: Progress) => void;
  say?: (line: string) => void;
}

export interface Progress {
  kills: number;
  buyers: number;
  answered: number;
}

export type ChaosResult = Omit<WorldResult, "folder"> & { folders: string[] };

/** Operators at once: while one daemon waits, another works. */
const WORLDS_AT_ONCE = 3;
/** None is set up for fewer, and none lives longer: each start of a daemon looks through its whole wallet. */
const KILLS_A_WORLD = { fewest: 10, most: 100 };

/**
 * Kills daemons so many times in all, brings everything to rest, and judges it from outside. Ends early, and judges
 * all the same, when a daemon did what none may do. Throws when one does not come up again.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { kills, seed, mintUrl, onProgress = () => {}, say = () => {} } = options;
  const count = worldsFor(kills);
  const seeds = createRandom(seed, "worlds");
  const stopping = new AbortController();
  const progress = Array.from({ length: count }, () => ({ kills: 0, buyers: 0, answered: 0 }));

  const worlds = progress.map((own, index) => {
    const world = {
      kills: Math.floor(kills / count) + (index < kills % count ? 1 : 0),
      seed: seeds.int(0, 2 ** 31),
      mintUrl,
      stopping: stopping.signal,
    };
    return () =>
      runWorld({
        ...world,
        onDeath({ problem }, { pursuits, payers }) {
          own.kills += 1;
          const paid = payers.bills.filter(({ preimage }) => preimage !== undefined);
          own.buyers = pursuits.length + paid.length;
          own.answered =
            pursuits.filter(({ outcome }) => outcome !== undefined).length +
            paid.filter(({ isClaimed }) => isClaimed).length;
          if (problem !== undefined) {
            say(`stopping early: ${problem}`);
            stopping.abort();
          }
          onProgress(progress.reduce(added));
        },
        say: (line) => say(count === 1 ? line : `operator ${index + 1} of ${count}: ${line}`),
      });
  });
  return together(await someAtOnce(worlds, stopping));
}

function worldsFor(kills: number): number {
  const { fewest, most } = KILLS_A_WORLD;
  return Math.max(Math.ceil(kills / most), Math.min(WORLDS_AT_ONCE, Math.ceil(kills / fewest)));
}

/** None is begun any more after a stop, or a failure; what is begun is waited for, since it has processes of its own. */
async function someAtOnce<T>(tasks: readonly (() => Promise<T>)[], stopping: AbortController): Promise<T[]> {
  const left = [...tasks];
  const results: T[] = [];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let task = left.shift(); task && !stopping.signal.aborted; task = left.shift()) {
      try {
        results.push(await task());
      } catch (error) {
        failures.push(error);
        stopping.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: WORLDS_AT_ONCE }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}

type Figure = Exclude<keyof Verdict, "problems" | "lightning">;

function together(results: readonly WorldResult[]): ChaosResult {
  const answers = new Map<string, number>();
  for (const result of results) {
    for (const [name, times] of result.answers) answers.set(name, (answers.get(name) ?? 0) + times);
  }
  const total = (name: Figure) => sum(results.map((result) => result[name]));
  const overLightning = (name: keyof LightningFigures) =>
    sum(results.map(({ lightning }) => lightning[name]));
  return {
    sales: total("sales"),
    satIn: total("satIn"),
    granted: total("granted"),
    lightning: {
      invoices: overLightning("invoices"),
      sales: overLightning("sales"),
      satIn: overLightning("satIn"),
      granted: overLightning("granted"),
    },
    refusedUnspent: total("refusedUnspent"),
    takenBack: total("takenBack"),
    owed: total("owed"),
    lost: total("lost"),
    doubleGranted: total("doubleGranted"),
    problems: results.flatMap(({ problems }) => problems),
    deaths: results.flatMap(({ deaths }) => deaths),
    answers,
    folders: results.flatMap(({ folder }) => folder ?? []),
  };
}

function added(some: Progress, others: Progress): Progress {
  return {
    kills: some.kills + others.kills,
    buyers: some.buyers + others.buyers,
    answered: some.answered + others.answered,
  };
}
