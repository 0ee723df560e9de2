import { chmodSync, renameSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { embeddedWasm } from "./embedded-wasm.ts";
import { readyMadePage } from "./ready-made-page.ts";

/** `--chaos`: the daemon of `pnpm chaos`, which can be killed at every boundary of a sale. Never what ships. */
const forChaos = process.argv.includes("--chaos");
const outfile = forChaos ? "dist/chaos.cjs" : "dist/index.cjs";
/** Put in place when it is whole: a daemon may be started from the file at any time. */
const unfinished = `${outfile}.${process.pid}`;

const deadlyBoundaries: Plugin = {
  name: "deadly-boundaries",
  setup(bundle) {
    bundle.onResolve({ filter: /\/boundary\.ts$/ }, () => ({
      path: join(import.meta.dirname, "../src/testing/boundary.ts"),
    }));
  },
};

// better-sqlite3 is native and stays outside; identifiers stay readable for stack traces.
await build({
  entryPoints: ["src/index.ts"],
  outfile: unfinished,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["better-sqlite3"],
  minifyWhitespace: true,
  minifySyntax: true,
  banner: { js: "#!/usr/bin/env node" },
  legalComments: "none",
  logLevel: "warning",
  loader: { ".wasm": "binary" },
  plugins: [readyMadePage, embeddedWasm, ...(forChaos ? [deadlyBoundaries] : [])],
});
chmodSync(unfinished, 0o755);
renameSync(unfinished, outfile);
