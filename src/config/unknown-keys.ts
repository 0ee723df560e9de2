import { type KeyNode, leafNames } from "./key-tree.ts";
import { isTable, type Path, pathName, type Table } from "./table.ts";

/** One warning for each key that the schema does not know, with the known key whose name is nearest. */
export function unknownKeyWarnings(file: Table, tree: KeyNode): string[] {
  const known = allNames(tree);
  return unknownKeys(file, tree, []).map(
    (path) =>
      `${pathName(path)}: unknown key, not read; the nearest known key is ${nearest(pathName(path), known)}`,
  );
}

function unknownKeys(table: Table, node: KeyNode, at: Path): Path[] {
  return Object.entries(table).flatMap(([name, value]) => {
    const path = [...at, name];
    const child = node.children.get(name);
    if (!child) return [path];
    if (child.children.size === 0) return [];
    const tables = Array.isArray(value)
      ? value.map((item, index) => [item, [...path, index]] as const)
      : [[value, path] as const];
    return tables.flatMap(([item, itemPath]) => (isTable(item) ? unknownKeys(item, child, itemPath) : []));
  });
}

function allNames(tree: KeyNode): string[] {
  return [...tree.children.keys(), ...leafNames(tree)];
}

function nearest(name: string, known: readonly string[]): string {
  const plain = name.replaceAll(/\[\d+\]/g, "");
  const distances = known.map((candidate) => ({ candidate, distance: editDistance(plain, candidate) }));
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate;
}

/** Levenshtein: the fewest characters to insert, drop or change. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, character] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column++) {
      const changed = (row[column - 1] ?? 0) + (character === b[column - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
