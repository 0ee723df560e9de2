/** Something that is wrong, as it was found just now. */
export interface FoundTrouble {
  /** The same for as long as it lasts, such as `interface` or `mint https://mint.example`. */
  name: string;
  /** What is wrong and how to mend it. Holds nothing of a buyer and no secret. */
  words: string;
  /** The log event that tells more. */
  event: string;
}

export interface Trouble extends FoundTrouble {
  /** Unix seconds. */
  since: number;
}

/** One look at everything that can be wrong. */
export interface Findings {
  troubles: readonly FoundTrouble[];
  /** Names of which nothing can be said now: they stay as they were. */
  unknown: readonly string[];
}

export type TroubleNote =
  | { kind: "trouble"; trouble: Trouble }
  | { kind: "well"; former: Trouble; at: number }
  /** It changed more often than may be told in an hour; `now` is what it is at last. */
  | { kind: "unsteady"; name: string; changes: number; now: Trouble | undefined };

export interface BoardOptions {
  /** Unix seconds, and monotonic milliseconds. */
  now: () => number;
  nowMs: () => number;
  /** What was told when the daemon ended: a trouble that is still there is not told again. */
  told?: readonly Trouble[] | undefined;
  holdMs?: number;
}

/** A change counts once it has lasted so long. */
const HOLD_MS = 20_000;
/** Notes about one name within an hour: twice to and fro. */
const MOST_AN_HOUR = 4;
const HOUR_MS = 3_600_000;

interface Entry {
  /** As last found; with `since` of the trouble that holds, or is about to. */
  trouble: Trouble;
  isFound: boolean;
  turnedAtMs: number;
  /** What has held long enough. */
  holds: boolean;
  untold: number;
  toldAtMs: number[];
}

export type TroubleBoard = ReturnType<typeof createTroubleBoard>;

/**
 * What is wrong now. A look that differs from the one before changes nothing until it has held for a while, and is
 * then a note: one each way, however often it is looked. What changes more often than that is summed up.
 */
export function createTroubleBoard({ now, nowMs, told = [], holdMs = HOLD_MS }: BoardOptions) {
  const entries = new Map<string, Entry>();
  for (const trouble of told) {
    entries.set(trouble.name, { ...turned(trouble, true), holds: true });
  }

  function turned(trouble: Trouble, isFound: boolean): Entry {
    return { trouble, isFound, turnedAtMs: nowMs(), holds: false, untold: 0, toldAtMs: [] };
  }

  function take(found: FoundTrouble): void {
    const entry = entries.get(found.name);
    if (!entry) {
      entries.set(found.name, turned({ ...found, since: now() }, true));
      return;
    }
    const begins = !entry.isFound && !entry.holds;
    if (!entry.isFound) turn(entry, true);
    entry.trouble = { ...found, since: begins ? now() : entry.trouble.since };
  }

  function turn(entry: Entry, isFound: boolean): void {
    entry.isFound = isFound;
    entry.turnedAtMs = nowMs();
  }

  function settle(entry: Entry): void {
    if (entry.isFound === entry.holds || nowMs() - entry.turnedAtMs < holdMs) return;
    entry.holds = entry.isFound;
    entry.untold++;
  }

  function tell(entry: Entry): TroubleNote[] {
    entry.toldAtMs = entry.toldAtMs.filter((atMs) => nowMs() - atMs < HOUR_MS);
    if (entry.untold === 0 || entry.toldAtMs.length >= MOST_AN_HOUR) return [];
    const { trouble, holds, untold: changes } = entry;
    entry.untold = 0;
    entry.toldAtMs.push(nowMs());
    if (changes > 1)
      return [{ kind: "unsteady", name: trouble.name, changes, now: holds ? trouble : undefined }];
    return [holds ? { kind: "trouble", trouble } : { kind: "well", former: trouble, at: now() }];
  }

  return {
    /** Takes one look; answers by what there is to tell. */
    look({ troubles, unknown }: Findings): TroubleNote[] {
      for (const found of troubles) take(found);
      const names = new Set([...troubles.map(({ name }) => name), ...unknown]);
      const notes: TroubleNote[] = [];
      for (const [name, entry] of entries) {
        if (entry.isFound && !names.has(name)) turn(entry, false);
        settle(entry);
        notes.push(...tell(entry));
        const isOver = !entry.isFound && !entry.holds && entry.untold === 0;
        if (isOver && entry.toldAtMs.length === 0) entries.delete(name);
      }
      return notes;
    },
    /** What is wrong and has held, the oldest first. */
    troubles: (): Trouble[] =>
      [...entries.values()]
        .filter(({ holds }) => holds)
        .map(({ trouble }) => trouble)
        .sort((a, b) => a.since - b.since),
  };
}
