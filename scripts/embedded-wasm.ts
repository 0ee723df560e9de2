import type { Plugin } from "esbuild";

/**
 * tiny-secp256k1 reads its WASM from beside itself; the bundle is one file, and carries it inside. The rest is what
 * the library's own loader does.
 */
export const embeddedWasm: Plugin = {
  name: "embedded-wasm",
  setup(bundle) {
    bundle.onLoad({ filter: /tiny-secp256k1\/lib\/wasm_loader\.js$/ }, () => ({
      loader: "js",
      contents: `
        import binary from "./secp256k1.wasm";
        import * as rand from "./rand.js";
        import * as validateError from "./validate_error.js";
        const imports = { "./rand.js": rand, "./validate_error.js": validateError };
        export default new WebAssembly.Instance(new WebAssembly.Module(binary), imports).exports;
      `,
    }));
  },
};
