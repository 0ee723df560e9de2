import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program stands, or undefined. */
export function findTool(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Why tests that need these programs cannot run here, or undefined when they can. In CI that is an error. */
export function toolsMissing(names: readonly string[], inCi: boolean): string | undefined {
  const missing = names.filter((name) => findTool(name) === undefined);
  if (missing.length === 0) return undefined;
  const reason = `not installed: ${missing.join(", ")}`;
  if (inCi) throw new Error(`${reason}: CI runs these tests, it does not skip them`);
  return reason;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
