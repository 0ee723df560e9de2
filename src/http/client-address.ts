import { createHash, randomBytes } from "node:crypto";
import { BlockList, isIPv4, isIPv6 } from "node:net";

export type TrustsAddress = (address: string) => boolean;

/** Addresses and CIDRs of both families, as the config names them. */
export function trustedProxies(entries: readonly string[]): TrustsAddress {
  const trusted = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  // Nearly always there is one proxy, and to ask the list costs as much as all the rest.
  let lastTrusted: string | undefined;
  return (address) => {
    if (address === lastTrusted) return true;
    if (!trusted.check(address, isIPv4(address) ? "ipv4" : "ipv6")) return false;
    lastTrusted = address;
    return true;
  };
}

/**
 * Whom a request counts against (rule 31): the right-most address of the path that is no trusted proxy, since a
 * client may write anything to the left of it. IPv4 whole, IPv6 by its /64, of which one host has as many
 * addresses as it likes. Empty when even the connection has no address.
 */
export function clientNetwork(
  connectionAddress: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: TrustsAddress,
): string {
  let client = readAddress(connectionAddress ?? "");
  const hops = forwardedFor === undefined ? [] : forwardedFor.split(",");
  while (client !== undefined && hops.length > 0 && isTrusted(client)) {
    const next = readAddress(hops.pop() ?? "");
    if (next === undefined) break;
    client = next;
  }
  return client === undefined ? "" : isIPv4(client) ? client : ipv6Network(client);
}

/** Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; a mapped IPv4 address comes back as IPv4. */
function readAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const bare = text
    .trim()
    .replace(/^\[(.*)\](:\d+)?$/, "$1")
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1")
    .replace(/%.*$/, "");
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return undefined;
  const groups = ipv6Groups(bare);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return bare;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 255])
    .join(".");
}

function ipv6Network(address: string): string {
  const groups = ipv6Groups(address).slice(0, 4);
  return `${groups.map((group) => group.toString(16)).join(":")}::/64`;
}

/** The eight 16-bit groups; URL does the parsing and writes an embedded IPv4 address in hex. */
function ipv6Groups(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const middle = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...middle, ...right].map((group) => Number.parseInt(group, 16));
}

/**
 * Hashes with a key that no one knows and that ends with the process: what counts clients never holds an address. The
 * hashes leave the process no more than the key does, so a key put before the text is as good as an HMAC.
 */
export function addressHasher(): (network: string) => string {
  const key = randomBytes(32);
  return (network) => createHash("sha256").update(key).update(network).digest("base64url");
}
