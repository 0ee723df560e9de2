import { isIPv4 } from "node:net";

/** An IPv4 subnet that addresses are handed out from: not the network's, the broadcast's, nor .1 (the server's). */
export interface Subnet {
  cidr: string;
  first: number;
  last: number;
}

/** Dotted decimals without leading zeros: some programs read those as octal. */
export function parseIpv4(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export interface AddressRange {
  from: number;
  to: number;
}

/** All addresses of an IPv4 CIDR (a bare address is a /32); undefined for anything else, IPv6 included. */
export function cidrRange(cidr: string): AddressRange | undefined {
  const [address = "", bits = "32", ...rest] = cidr.split("/");
  const base = parseIpv4(address);
  if (base === undefined || rest.length > 0 || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  const size = 2 ** (32 - Number(bits));
  const from = Math.floor(base / size) * size;
  return { from, to: from + size - 1 };
}

export function parseSubnet(cidr: string): Subnet {
  const range = cidrRange(cidr);
  if (!range) throw new Error(`not an IPv4 subnet: ${cidr}`);
  return { cidr, first: range.from + 2, last: range.to - 1 };
}

export function* subnetAddresses(subnet: Subnet): Generator<string> {
  for (let address = subnet.first; address <= subnet.last; address++) yield formatIpv4(address);
}

export function inSubnet(subnet: Subnet, address: string): boolean {
  const number = parseIpv4(address);
  return number !== undefined && number >= subnet.first && number <= subnet.last;
}
