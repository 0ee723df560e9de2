import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SRC = join(import.meta.dirname, "..");

/** The calls between which the name of an event belongs to the one before it. */
const CALL_OR_EVENT = /logger(?:\??\.(\w+)|\[\w+\])\(|\bevent: "([a-z0-9-]+)"/g;

/** Names of events that the daemon's source logs at `warn`, `error` or `fatal`, or at a level that it chooses. */
export function troubleEvents(): string[] {
  const names = sourceFiles().flatMap((file) => namesIn(readFileSync(join(SRC, file), "utf8")));
  return [...new Set(names)].sort();
}

function sourceFiles(): string[] {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" });
  return files.filter(
    (file) => /\.ts$/.test(file) && !/\.test\.ts$/.test(file) && !/^(testing|e2e)\//.test(file),
  );
}

function namesIn(source: string): string[] {
  const names: string[] = [];
  let isQuiet = false;
  for (const [, level, name] of source.matchAll(CALL_OR_EVENT)) {
    if (name === undefined) isQuiet = level === "debug" || level === "info" || level === "trace";
    else {
      if (!isQuiet) names.push(name);
      isQuiet = false;
    }
  }
  return names;
}
