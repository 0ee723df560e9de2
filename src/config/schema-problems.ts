import type { z } from "zod";
import { isSecretKey } from "./secrets.ts";
import { pathName } from "./table.ts";

export interface SchemaProblem {
  name: string;
  problem: string;
}

/** One problem for each key that the schema refused: what is there, and what the field says to write instead. */
export function schemaProblems(file: unknown, issues: readonly z.core.$ZodIssue[]): SchemaProblem[] {
  const byName = new Map<string, SchemaProblem>();
  for (const { path, message } of issues) {
    const name = pathName(path);
    if (byName.has(name)) continue;
    byName.set(name, { name, problem: `${name}: ${whatIsWrong(file, path)}; write ${message}` });
  }
  return [...byName.values()];
}

function whatIsWrong(file: unknown, path: readonly PropertyKey[]): string {
  let value = file;
  for (const step of path) {
    if (typeof value !== "object" || value === null) break;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  if (value === undefined) return "is missing";
  if (Array.isArray(value)) return value.length === 0 ? "is empty" : "cannot be this list";
  if (isSecretKey(String(path.at(-1))) || looksSecret(value)) return "cannot be what is written there";
  return typeof value === "object" ? "cannot be this table" : `cannot be ${JSON.stringify(value)}`;
}

/** Secrets end up in the wrong key at times; long values are of no help in a line either. */
function looksSecret(value: unknown): boolean {
  return typeof value === "string" && (value.length > 80 || /nsec1|[0-9a-f]{32}/i.test(value));
}
