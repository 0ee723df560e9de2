import { createHash } from "node:crypto";
import { formatIpv4, parseIpv4 } from "../tunnels/subnet.ts";
import { ip, run } from "./namespace-tools.ts";

export interface HostLink {
  /** Of this host, as the namespace sees it. */
  hostAddress: string;
  /** Of the namespace, as this host sees it. */
  operatorAddress: string;
}

/** A cable between a namespace and this host. Its /30 in 198.18.0.0/15 (RFC 2544, never routed) follows from its name. */
export async function linkToThisHost(namespace: string, linkName: string): Promise<HostLink> {
  const taken = await run("ip", ["-4", "-o", "addr", "show"]);
  const base = parseIpv4("198.18.0.0") ?? 0;
  let slot = createHash("sha256").update(linkName).digest().readUInt16BE(0) % 2 ** 15;
  while (taken.includes(` ${formatIpv4(base + slot * 4 + 1)}/`)) slot = (slot + 1) % 2 ** 15;
  const hostAddress = formatIpv4(base + slot * 4 + 1);
  const operatorAddress = formatIpv4(base + slot * 4 + 2);
  await run("ip", ["link", "add", linkName, "type", "veth", "peer", "name", "host", "netns", namespace]);
  await run("ip", ["addr", "add", `${hostAddress}/30`, "dev", linkName]);
  await run("ip", ["link", "set", "up", "dev", linkName]);
  await ip(namespace, `addr add ${operatorAddress}/30 dev host`);
  await ip(namespace, "link set up dev host");
  return { hostAddress, operatorAddress };
}
