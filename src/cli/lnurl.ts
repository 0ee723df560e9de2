import { renderUnicodeCompact } from "uqr";
import * as z from "zod";
import type { Config } from "../config/types.ts";
import { EXIT_CONFIG } from "../config.ts";
import { encodeLnurl, lightningUri, payRequestUrl, satTiers } from "../protocol/lnurl.ts";
import { describePrice } from "../protocol/price.ts";
import { command, json } from "./command.ts";
import { EXIT_NOTHING_SOLD } from "./exit-codes.ts";
import { loadOrComplain } from "./load-or-complain.ts";

const tierLnurlSchema = z.object({
  tier: z.string(),
  url: z.string(),
  /** LUD-01, in lower case. */
  lnurl: z.string(),
  lightning: z.string(),
});

/** What `--json` prints. */
export const tierLnurlsSchema = z.array(tierLnurlSchema);

type TierLnurl = z.infer<typeof tierLnurlSchema>;

export const lnurl = command({
  name: "lnurl",
  group: "Before the start",
  summary: "print each tier's LNURL and its QR code, from the config alone",
  options: { json },
  exits: {
    0: "printed",
    [EXIT_NOTHING_SOLD]: "nothing is sold over Lightning",
    [EXIT_CONFIG]: "the config is wrong",
  },
  run(given, io) {
    const loaded = loadOrComplain(io);
    if (loaded === undefined) return EXIT_CONFIG;
    const { config } = loaded;
    const missing = whyNothingIsSold(config);
    if (missing !== undefined) {
      io.complain(missing);
      return EXIT_NOTHING_SOLD;
    }
    const tiers = tierLnurls(config);
    for (const line of given.json ? [JSON.stringify(tiers)] : tiers.flatMap(inWords)) io.print(line);
    return 0;
  },
});

function whyNothingIsSold({ lightning, listing }: Config): string | undefined {
  if (lightning === undefined) return "Lightning is off: set enabled = true in [lightning].";
  if (satTiers(listing.prices).length === 0) {
    return 'No tier is priced in sat: add one to [[listing.prices]] with currency = "sat".';
  }
  return undefined;
}

function tierLnurls({ server, listing }: Config): TierLnurl[] {
  return satTiers(listing.prices).map((tier) => {
    const url = payRequestUrl(server.publicHost, tier);
    return {
      tier: describePrice(tier.price),
      url,
      lnurl: encodeLnurl(url),
      lightning: lightningUri(url),
    };
  });
}

/** In upper case (LUD-01) the characters of a QR code take less room. */
function inWords({ tier, url, lnurl, lightning }: TierLnurl): string[] {
  return [tier, url, lnurl, lightning, ...renderUnicodeCompact(lnurl.toUpperCase()).split("\n"), ""];
}
