/** A TOML table, unchecked. */
export type Table = Record<string, unknown>;

export type Path = readonly (string | number)[];

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

export function tableAt(table: Table, name: string): Table {
  const value = table[name];
  return isTable(value) ? value : {};
}

/** `listing.prices[0].unit`. */
export function pathName(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) =>
      typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${String(step)}`,
    )
    .join("");
}

/** A copy without the empty strings of tables: `key = ""` says the same as leaving the key out. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isTable(value)) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== "");
  return Object.fromEntries(kept.map(([name, item]) => [name, withoutEmpty(item)]));
}
