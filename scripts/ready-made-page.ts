import type { Plugin } from "esbuild";
import { bundlePage } from "../src/http/viewer/bundle-page.ts";

/** The viewer's page as text in the daemon's bundle: operators have no bundler. */
export const readyMadePage: Plugin = {
  name: "ready-made-page",
  setup(bundle) {
    bundle.onLoad({ filter: /\/viewer\/bundle-page\.ts$/ }, () => ({
      contents: `const parts = ${JSON.stringify(bundlePage())};\nexport const bundlePage = () => parts;\n`,
      loader: "js",
    }));
  },
};
