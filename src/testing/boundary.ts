import { writeSync } from "node:fs";
import type { BoundaryName } from "../boundary.ts";

/** `<boundary>:<n>`: the process ends when it comes to this boundary for the n-th time. */
export const KILL_AT = "EUROPA_CHAOS_KILL_AT";

const [killAt, nth = "1"] = (process.env[KILL_AT] ?? "").split(":");
let passed = 0;

/**
 * Stands in the place of src/boundary.ts in the build for `pnpm chaos`. A SIGKILL to oneself is delivered before the
 * call returns: nothing after the boundary runs.
 */
export function boundary(name: BoundaryName): void {
  if (name !== killAt) return;
  passed += 1;
  if (passed < Number(nth)) return;
  writeSync(2, `killed at ${name}\n`);
  process.kill(process.pid, "SIGKILL");
}
