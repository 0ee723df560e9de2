import type { Measurement } from "./measurement.ts";

/** Of several runs each figure's middle one, with the spread of all; a target is met when each of them met it. */
export function overRuns(runs: readonly (readonly Measurement[])[]): Measurement[] {
  const [first = [], ...others] = runs;
  if (others.length === 0) return [...first];
  return first.map(({ name }) =>
    overOne(runs.flatMap((run) => run.filter((figure) => figure.name === name))),
  );
}

function overOne(figures: readonly Measurement[]): Measurement {
  const sorted = [...figures].sort((a, b) => (judged(a) ?? 0) - (judged(b) ?? 0));
  const [least, middle, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  if (!least || !middle || !most) throw new Error("nothing was measured");
  const [from, to] = [judged(least), judged(most)];
  return {
    ...middle,
    met: middle.met === null ? null : figures.every(({ met }) => met === true),
    ...(from === null || to === null ? {} : { spread: { from, to } }),
  };
}

const judged = ({ ratio, value }: Measurement) => ratio ?? value;
