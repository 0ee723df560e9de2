import type { NftChain, NftRule } from "../../wireguard/nft-rules.ts";
import type { Check } from "../check.ts";
import { fail, ok } from "../finding.ts";
import { onKernel } from "./on-kernel.ts";

/** Docker, ufw and many a hand-made set of rules drop what is forwarded, in a chain of iptables. */
export const firewalls: Check = {
  name: "firewalls",
  group: "tunnels",
  look: onKernel(async ({ config, host, wgUp }) => {
    const { interface: name } = config.wireguard;
    const { chains, rules } = await host.ruleset();
    const dropping = chains.filter((chain) => chain.hook === "forward" && chain.policy === "drop");
    const closed = dropping.filter((chain) => !rules.some((rule) => letsPass(rule, chain, name)));
    if (closed.length === 0) return ok("no other firewall of this host drops what buyers send");
    const named = closed.map(({ family, table, name: chain }) => `${family} ${table} ${chain}`).join(", ");
    return fail(
      `a firewall drops what is forwarded (${named}), and lets ${name} not through`,
      `as root: ${wgUp.reload}`,
    );
  }),
};

function letsPass(rule: NftRule, chain: NftChain, interfaceName: string): boolean {
  if (rule.family !== chain.family || rule.table !== chain.table || rule.chain !== chain.name) return false;
  const text = JSON.stringify(rule.statements);
  return (
    text.includes(`"europa-fwd-${interfaceName}"`) ||
    (text.includes(`"${interfaceName}"`) && text.includes('"accept"'))
  );
}
