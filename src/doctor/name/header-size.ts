import type { Check } from "../check.ts";
import { proxyCommand } from "../daemon/start-command.ts";
import { fail, ok, unseen, warn } from "../finding.ts";
import type { Asked } from "./ask.ts";

/** 60 and 180 locked proofs, encoded. */
const USUAL_BYTES = 20_000;
const LARGE_BYTES = 60_000;

/** Asks for `/info` with a header as long as a token: nothing reads it there. */
export const headerSize: Check = {
  name: "header-size",
  group: "public name",
  async look({ ask }) {
    const long = (bytes: number) => ask("/info", { headers: { "x-cashu": "x".repeat(bytes) } });
    const [usual, large] = await Promise.all([long(USUAL_BYTES), long(LARGE_BYTES)]);
    if (usual?.kind !== "answered" && large?.kind !== "answered") {
      const plain = await ask("/info");
      if (plain?.kind !== "answered") return unseen("the public name does not answer: see info");
    }
    const mend = `let the proxy pass 64 KiB of headers (nginx: large_client_header_buffers 8 64k); then as root: ${proxyCommand()}`;
    if (!passes(usual))
      return fail(`a token of 60 proofs in X-Cashu does not come through the proxy${inWords(usual)}`, mend);
    if (!passes(large))
      return warn(`a token of 180 proofs in X-Cashu does not come through the proxy${inWords(large)}`, mend);
    return ok("60 KB of headers come through the proxy");
  },
};

function passes(asked: Asked | undefined): boolean {
  return asked?.kind === "answered" && asked.status !== 431 && asked.status !== 400 && asked.status !== 413;
}

function inWords(asked: Asked | undefined): string {
  if (asked === undefined) return "";
  return asked.kind === "answered" ? ` (HTTP ${asked.status})` : ` (${asked.code})`;
}
