import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Vitest's global set-up: e2e tests spawn the very bundle that operators run, so it is built once before them. */
export default function buildDaemon(): void {
  const root = join(import.meta.dirname, "../..");
  execFileSync(process.execPath, [join(root, "node_modules/tsx/dist/cli.mjs"), "scripts/build.ts"], {
    cwd: root,
    stdio: "inherit",
  });
}
