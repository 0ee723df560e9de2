/** A sale as the operator may hear of it: nothing in it is the buyer's. */
export interface Sold {
  method: "cashu" | "lightning";
  /** As `describePrice` has it. */
  tier: string;
  amountSat: number;
}

export interface SoldGroup extends Sold {
  count: number;
}

/** One sale alone, or many summed up by tier and method. */
export type SaleNote = { kind: "sale"; sold: Sold } | { kind: "sales"; groups: SoldGroup[] };

export interface SaleFeedOptions {
  /** Monotonic. */
  nowMs: () => number;
}

/** More sales than this within the window are told as one. */
const MOST_ALONE = 10;
const WINDOW_MS = 600_000;

interface Gathering {
  sinceMs: number;
  groups: Map<string, SoldGroup>;
}

export type SaleFeed = ReturnType<typeof createSaleFeed>;

/**
 * Each sale is told by itself, until there are more than ten in ten minutes: what follows is gathered and told as one
 * ten minutes later, for as long as so many come.
 */
export function createSaleFeed({ nowMs }: SaleFeedOptions) {
  let alone: Sold[] = [];
  let aloneAtMs: number[] = [];
  let gathering: Gathering | undefined;

  function startGathering(): Gathering {
    return { sinceMs: nowMs(), groups: new Map() };
  }

  function endGathering(): SaleNote[] {
    const groups = [...(gathering?.groups.values() ?? [])];
    const count = groups.reduce((sum, group) => sum + group.count, 0);
    gathering = count > MOST_ALONE ? startGathering() : undefined;
    aloneAtMs = [];
    return count > 0 ? [{ kind: "sales", groups }] : [];
  }

  function takeAlone(): SaleNote[] {
    const notes = alone.map((sold): SaleNote => ({ kind: "sale", sold }));
    alone = [];
    return notes;
  }

  return {
    granted(sold: Sold): void {
      aloneAtMs = aloneAtMs.filter((atMs) => nowMs() - atMs < WINDOW_MS);
      if (!gathering && aloneAtMs.length < MOST_ALONE) {
        alone.push(sold);
        aloneAtMs.push(nowMs());
        return;
      }
      gathering ??= startGathering();
      add(gathering.groups, sold);
    },
    /** What there is to tell now. */
    take(): SaleNote[] {
      const isDue = gathering !== undefined && nowMs() - gathering.sinceMs >= WINDOW_MS;
      return [...takeAlone(), ...(isDue ? endGathering() : [])];
    },
    /** All that is left, since nobody will ask again. */
    rest: (): SaleNote[] => [...takeAlone(), ...endGathering()],
  };
}

function add(groups: Map<string, SoldGroup>, { method, tier, amountSat }: Sold): void {
  const name = `${method} ${tier}`;
  const group = groups.get(name) ?? { method, tier, amountSat: 0, count: 0 };
  groups.set(name, { ...group, amountSat: group.amountSat + amountSat, count: group.count + 1 });
}
