/** Rows as lines of aligned columns: the first ones to the left, the others, being figures, to the right. */
export function inColumns(rows: readonly (readonly string[])[], toTheLeft = 1): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const inColumn = (cell: string, column: number) =>
    column < toTheLeft ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(inColumn).join("  ").trimEnd());
}
