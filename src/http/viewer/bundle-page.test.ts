import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { readyMadePage } from "../../../scripts/ready-made-page.ts";
import { makeTempDir } from "../../testing/temp-dir.ts";
import { bundlePage } from "./bundle-page.ts";

it("ships ready made: the same page, and no bundler", async () => {
  const folder = await makeTempDir();
  try {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "bundle-page.ts")],
      bundle: true,
      write: false,
      platform: "node",
      format: "cjs",
      plugins: [readyMadePage],
    });
    const [bundle] = outputFiles;
    const shipped = join(folder.path, "shipped.cjs");
    await writeFile(shipped, bundle?.contents ?? "");
    expect(bundle?.text).not.toMatch(/require\(|buildSync/);
    expect(createRequire(import.meta.url)(shipped).bundlePage()).toEqual(bundlePage());
  } finally {
    await folder.remove();
  }
});
