import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

export interface PageParts {
  /** page.html: asks for its style and script by file, and for `{{endpoint}}` and `{{serverPublicKey}}`. */
  template: string;
  style: string;
  script: string;
}

/**
 * The viewer's page, made from its source. That takes a bundler, which is there under tsx, in tests and at build time,
 * and not at an operator's: scripts/ready-made-page.ts puts the result in the place of this module. Throws when the
 * source cannot be built.
 */
export function bundlePage(): PageParts {
  const { outputFiles } = buildSync({
    entryPoints: [join(import.meta.dirname, "dom/page.ts")],
    bundle: true,
    write: false,
    platform: "browser",
    target: "es2020",
    format: "iife",
    // Identifiers stay readable: whoever is asked for a private key may want to see what becomes of it.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    tsconfigRaw: {},
    logLevel: "warning",
  });
  const script = outputFiles.map(({ text }) => text).join("");
  const style = readFileSync(join(import.meta.dirname, "page.css"), "utf8");
  // HTML would end the element there, or read on behind it.
  if (/<\/|<!--|<script|\r/i.test(script + style))
    throw new Error("the viewer's script or style breaks out of its element");
  return { template: readFileSync(join(import.meta.dirname, "page.html"), "utf8"), style, script };
}
