import { chooseNode } from "../../lightning/choose-node.ts";
import { askLiquidity } from "../../lightning/liquidity.ts";
import { satTiers } from "../../protocol/lnurl.ts";
import type { Check } from "../check.ts";
import { fail, inTwo, ok, unseen, warn } from "../finding.ts";

const OFF = ok("Lightning is off in this configuration");
const WITHIN_MS = 8_000;

export const lightning: Check = {
  name: "lightning",
  group: "money",
  async look({ config, clock, configPath }) {
    if (config.lightning === undefined) return OFF;
    const { backend, baseUrl, stubSells } = config.lightning;
    if (backend === "stub") {
      const seen = stubSells
        ? "the stub gives tunnels for nothing"
        : "the stub makes invoices that nobody can pay";
      return warn(seen, `name a node of your own in [lightning] of ${configPath}`);
    }
    const trouble = await chooseNode(config.lightning, clock.now).probe();
    if (trouble === undefined) return ok(`${backend} at ${baseUrl} makes invoices`);
    const { seen, mend } = inTwo(
      trouble.replace(/: (?=is it running|lightning\.api_token|its log|is lightning)/, "; "),
    );
    return fail(seen, mend);
  },
};

export const liquidity: Check = {
  name: "lightning-liquidity",
  group: "money",
  async look({ config }) {
    if (config.lightning === undefined) return OFF;
    const found = await askLiquidity(config.lightning, WITHIN_MS).catch(() => undefined);
    if (found === undefined) return unseen("the node does not answer: see lightning");
    if ("unknown" in found) return unseen(found.unknown, found.command);
    const cheapest = Math.min(...satTiers(config.listing.prices).map(({ price }) => price.amount));
    const seen = `the node can receive ${found.inboundSat} sat`;
    if (found.inboundSat >= cheapest) return ok(seen);
    return warn(
      `${seen}, and the cheapest tier is ${cheapest}: a payment fails, or pays for a new channel first`,
      "open a channel towards the node, or with phoenixd let the first payment pay for one",
    );
  },
};
