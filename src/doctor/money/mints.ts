import { createMints } from "../../cashu/mints.ts";
import type { Check } from "../check.ts";
import { type Finding, fail, ok } from "../finding.ts";

const WITHIN_MS = 8_000;

/** Asked from here, beside the daemon's own word: it may have shut a mint off. */
export const mints: Check = {
  name: "mint",
  group: "money",
  async look({ config, clock, running, configPath }): Promise<Finding[]> {
    const { cashu } = config;
    if (cashu === undefined) return [ok("Cashu is off in this configuration")];
    const asked = createMints({
      mintUrls: cashu.mints.map(({ url }) => url),
      privkeyHex: cashu.privateKeyHex,
      pubkeyHex: cashu.p2pk,
      maxFeeSat: cashu.maxFeeSat,
      clock,
      timeoutMs: WITHIN_MS,
    });
    const [{ standing }] = await Promise.all([running(), asked.refresh()]);
    return asked.all().map((mint): Finding => {
      const known = standing?.mints.find(({ url }) => url === mint.url)?.trouble;
      const trouble = mint.status().trouble ?? (known?.startsWith("shut off") ? known : undefined);
      if (trouble === undefined) return ok(`${mint.url} answers, with keys for sat`);
      return fail(
        `${mint.url}: ${trouble}`,
        `its ecash is not taken until it answers; if it stays so, name another mint in ${configPath}. See it by hand: curl -i ${mint.url}/v1/keysets`,
      );
    });
  },
};
