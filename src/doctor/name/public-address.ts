import { BlockList, isIPv6 } from "node:net";

/** IANA's registry of special-purpose addresses, as far as a host can have them; documentation counts as public. */
const PRIVATE: readonly [network: string, prefix: number][] = [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
];

/** Whether the internet could reach the address. */
export function isPublic(address: string): boolean {
  if (isIPv6(address)) return /^[23]/.test(address);
  const list = new BlockList();
  for (const [network, prefix] of PRIVATE) list.addSubnet(network, prefix, "ipv4");
  return !list.check(address, "ipv4");
}
