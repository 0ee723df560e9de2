import { cidrRange } from "../../tunnels/subnet.ts";
import { type NatRule, sourceNatRules } from "../../wireguard/nft-rules.ts";
import type { Check } from "../check.ts";
import { fail, ok, warn } from "../finding.ts";
import { onKernel } from "./on-kernel.ts";

/** Packets of buyers must leave under this host's address, by the interface that the default route names. */
export const nat: Check = {
  name: "nat",
  group: "tunnels",
  look: onKernel(async ({ config, host, wgUp }) => {
    const { interface: tunnels, subnetCidr } = config.wireguard;
    const [ruleset, waysOut] = await Promise.all([host.ruleset(), host.defaultInterfaces(4, tunnels)]);
    if (waysOut.length === 0) {
      return fail(
        "this host has no default route for IPv4",
        "give it one; where it leads is your hoster's word",
      );
    }
    const rules = sourceNatRules(ruleset).filter((rule) => rule.family !== "ip6" && covers(rule, subnetCidr));
    const without = waysOut.filter(
      (name) => !rules.some((rule) => rule.outInterfaces?.includes(name) ?? true),
    );
    if (without.length === 0) return ok(`${subnetCidr} leaves by ${waysOut.join(", ")} under its address`);
    const elsewhere = [...new Set(rules.flatMap((rule) => rule.outInterfaces ?? []))];
    const seen =
      elsewhere.length === 0
        ? `no NAT for ${subnetCidr}: what buyers send gets no answer`
        : `NAT goes out by ${elsewhere.join(", ")}, and the default route by ${without.join(", ")}`;
    const mend = `EGRESS= ${wgUp.reload}`;
    if (elsewhere.length > 0 && wgUp.egress !== undefined) {
      return warn(
        `${seen}; you chose that for wg-up.sh (EGRESS=${wgUp.egress})`,
        `if it is over, as root: ${mend}`,
      );
    }
    return fail(seen, `as root: ${mend}`);
  }),
};

function covers({ sources }: NatRule, subnetCidr: string): boolean {
  const subnet = cidrRange(subnetCidr);
  if (sources === undefined || subnet === undefined) return sources === undefined;
  return sources.some((source) => {
    const range = cidrRange(source);
    return range !== undefined && range.from <= subnet.from && range.to >= subnet.to;
  });
}
