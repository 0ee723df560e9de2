import type { Measurement } from "./measurement.ts";

/** The figures as a Markdown table, for the terminal and for docs/benchmarks.md alike. */
export function tableLines(measurements: readonly Measurement[]): string[] {
  const rows = measurements.map((one) => [
    one.name,
    one.value === null
      ? `not measured: ${one.why}`
      : `${one.value} ${one.unit}${one.ratio === null ? spreadOf(one) : ""}`,
    one.ratio === null ? "" : `${one.ratio}${spreadOf(one)}`,
    one.target ?? "",
    one.met === null ? "" : one.met ? "met" : "missed",
  ]);
  const all = [["figure", "value", "ratio", "target", ""], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = all;
  return [
    line(head),
    `| ${widths.map((width) => "-".repeat(Math.max(3, width))).join(" | ")} |`,
    ...body.map(line),
  ];
}

function spreadOf({ spread }: Measurement): string {
  return spread ? ` (${spread.from} to ${spread.to})` : "";
}
