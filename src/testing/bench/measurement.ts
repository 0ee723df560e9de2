/** One line of the table, and one object of `--json`. */
export interface Measurement {
  name: string;
  /** Null where this machine cannot measure it; then `why` says what is missing. */
  value: number | null;
  unit: string;
  /** Of the value to what it was measured against, in the same run. */
  ratio: number | null;
  /** In words: `at most 1.2`. What it holds of is the ratio where there is one, unless it names a unit. */
  target: string | null;
  met: boolean | null;
  why?: string;
  /** Of several runs: of the ratio, or the value where there is none. */
  spread?: { from: number; to: number };
}

export interface Target {
  of: "value" | "ratio";
  atMost?: number;
  atLeast?: number;
}

export interface Lane {
  name: string;
  /** Why it cannot run here; undefined when it can. */
  missing(): Promise<string | undefined>;
  /** What is printed in the place of the figures when it cannot. */
  figures: readonly string[];
  /** Gives each figure as soon as it is measured. */
  run(): AsyncGenerator<Measurement>;
}

export function measurement(
  name: string,
  { value, unit, ratio }: { value: number; unit: string; ratio?: number },
  target?: Target,
): Measurement {
  const judged = target?.of === "value" ? value : ratio;
  return {
    name,
    value: rounded(value),
    unit,
    ratio: ratio === undefined ? null : rounded(ratio),
    target: target ? describe(target, unit) : null,
    met: target && judged !== undefined ? isMet(target, judged) : null,
  };
}

export function notMeasured(name: string, why: string): Measurement {
  return { name, value: null, unit: "", ratio: null, target: null, met: null, why };
}

function isMet(
  { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY }: Target,
  judged: number,
): boolean {
  return judged <= atMost && judged >= atLeast;
}

function describe({ of, atMost, atLeast }: Target, unit: string): string {
  const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return of === "value" ? `${bound} ${unit}` : bound;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
