import { exec } from "./namespace-tools.ts";

const TRACES = {
  ruleset: "nft -s list ruleset",
  // Without the counters and the comments with the time.
  iptables: "iptables-save | sed 's/ \\[.*//; /^#/d'",
  ip6tables: "ip6tables-save | sed 's/ \\[.*//; /^#/d'",
  sysctls: "cd /proc/sys/net; grep -rs '' ipv4/conf ipv4/ip_forward ipv6/conf | sort",
  rules: "ip rule; ip -6 rule",
  // Of IPv4 and IPv6.
  routes: "ip route show table all | sed 's/ expires [0-9]*sec//'",
  links: "ip -br link | sed 's/ .*//'",
  files: 'ls /etc/wireguard; ls /run/europa-host | grep -x "$1.before"',
};

/** All that `scripts/wg-up.sh` might leave behind in a namespace, in text, by kind. */
export async function tracesOn(namespace: string, interfaceName: string): Promise<Record<string, string>> {
  const traces: Record<string, string> = {};
  for (const [kind, command] of Object.entries(TRACES)) {
    traces[kind] = await exec(namespace, [
      "sh",
      "-c",
      `{ ${command}; } 2>/dev/null || true`,
      "sh",
      interfaceName,
    ]);
  }
  return traces;
}
