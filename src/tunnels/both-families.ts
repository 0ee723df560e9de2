import { parseIpv4 } from "./subnet.ts";

/** Gives a tunnel's IPv4 address its company: what a session of that address has in all. */
export type WithIpv6 = (address: string) => string[];

/**
 * A session's IPv6 address is its IPv4 address in the last 32 bits of `subnet6` (fd66:42::a42:2a07 for 10.66.42.7 in fd66:42::/64): one
 * each for ever, whatever becomes of the IPv4 subnet. Without `subnet6` there is none. `subnet6` ends in `::` before
 * its slash.
 */
export function withIpv6(subnet6: string | undefined): WithIpv6 {
  if (subnet6 === undefined) return (address) => [address];
  const prefix = prefixOf(subnet6);
  return (address) => [address, canonical(prefix + address)];
}

/** The IPv4 address whose company this is; undefined for any other. */
export function companionOf(subnet6: string | undefined, address6: string): string | undefined {
  const number = URL.canParse(urlOf(address6)) ? lastBits(canonical(address6)) : undefined;
  if (subnet6 === undefined || number === undefined) return undefined;
  const address = [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
  return canonical(prefixOf(subnet6) + address) === canonical(address6) ? address : undefined;
}

/** The first address, which is the server's. */
export function serverAddress6(subnet6: string): string {
  return canonical(`${prefixOf(subnet6)}1`);
}

/** As `wg`, `ip` and `nft` print it (RFC 5952). */
function canonical(address: string): string {
  return new URL(urlOf(address)).hostname.slice(1, -1);
}

function urlOf(address: string): string {
  return `http://[${address}]/`;
}

function prefixOf(subnet6: string): string {
  return subnet6.split("/")[0] ?? "";
}

/** The last 32 of its bits. */
function lastBits(address: string): number {
  const [left = "", right] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const tail = [...(right === undefined ? [] : ["0", "0"]), ...groups(right ?? left)].slice(-2);
  const [high = 0, low = 0] = tail.map((group) => Number.parseInt(group, 16));
  return high * 65_536 + low;
}

/** With the mask of one address, as `wg` prints it. */
export function alone(address: string): string {
  return parseIpv4(address) === undefined ? `${address}/128` : `${address}/32`;
}
