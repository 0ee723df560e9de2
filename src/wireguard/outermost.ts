import { BlockList, isIPv6 } from "node:net";

/** Those networks that lie in none of the others, once each: nft takes no overlap. What is no CIDR is left out. */
export function outermost(cidrs: readonly string[]): string[] {
  // One each: a BlockList finds an IPv4 address in an IPv6 network too.
  const covered = { ipv4: new BlockList(), ipv6: new BlockList() };
  const widestFirst = cidrs.flatMap((cidr) => {
    const [address = "", bits = ""] = cidr.split("/");
    const type: "ipv4" | "ipv6" = isIPv6(address) ? "ipv6" : "ipv4";
    return /^\d{1,3}$/.test(bits) ? [{ cidr, address, bits: Number(bits), type }] : [];
  });
  widestFirst.sort((a, b) => a.bits - b.bits);
  return widestFirst.flatMap(({ cidr, address, bits, type }) => {
    if (covered[type].check(address, type)) return [];
    covered[type].addSubnet(address, bits, type);
    return [cidr];
  });
}
