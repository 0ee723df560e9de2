import { expect, it } from "vitest";
import { measurement, notMeasured } from "./measurement.ts";
import { overRuns } from "./runs.ts";
import { tableLines } from "./table.ts";

const run = (ratio: number) => [
  measurement("sale", { value: ratio * 10, unit: "ms", ratio }, { of: "ratio", atMost: 1.2 }),
];

it("shows one run as it is", () => {
  expect(overRuns([run(1.1)])).toEqual(run(1.1));
});

it("shows the middle of several, and met only what each of them met", () => {
  const [sale] = overRuns([run(1.3), run(1), run(1.1)]);
  expect(sale).toEqual({ ...run(1.1)[0], met: false, spread: { from: 1, to: 1.3 } });
  expect(overRuns([run(1.2), run(1), run(1.1)])).toMatchObject([{ met: true }]);
});

it("has no spread of what was not measured", () => {
  const runs = [[notMeasured("sale", "no wg")], [notMeasured("sale", "no wg")]];
  expect(overRuns(runs)).toEqual([notMeasured("sale", "no wg")]);
});

it("prints the spread beside the ratio", () => {
  expect(tableLines(overRuns([run(1), run(1.1)])).at(-1)).toMatch(/\| 1\.1 \(1 to 1\.1\) \|/);
});
