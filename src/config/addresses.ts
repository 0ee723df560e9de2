import { isIP, isIPv4, isIPv6 } from "node:net";

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** A DNS name, an IPv4 address or a bare IPv6 address; no port, no scheme. */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes("%");
  const labels = text.replace(/\.$/, "").split(".");
  // A last label of digits alone makes it an IPv4 address, and isIP says that it is none.
  if (/^\d+$/.test(labels.at(-1) ?? "")) return false;
  return text.length <= 253 && labels.every((label) => LABEL.test(label));
}

/** `host` or `host:port`, an IPv6 address in brackets. */
export function isHostWithPort(text: string): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/i.exec(text);
  if (!match) return false;
  const [, host = "", port] = match;
  return isHost(withoutBrackets(host)) && (port === undefined || isPort(Number(port)));
}

/** The host of what `isHostWithPort` takes, without port and brackets. */
export function hostOf(hostWithPort: string): string {
  return withoutBrackets(hostWithPort.replace(/:\d{1,5}$/, ""));
}

export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

/** An address or a CIDR of either family: whom to trust. */
export function isAddressOrCidr(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  if (rest.length > 0 || isIP(address) === 0 || address.includes("%")) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv6(address) ? 128 : 32));
}

/**
 * The IPv4 network that a CIDR of 16 to 30 bits lies in, with its host bits cleared. `undefined` for anything
 * else, and where no host can be: 0/8, 127/8, multicast and above.
 */
export function networkOf(cidr: string): string | undefined {
  const [address = "", bits = "", ...rest] = cidr.split("/");
  const length = Number(bits);
  if (rest.length > 0 || !isIPv4(address) || !/^\d{2}$/.test(bits) || length < 16 || length > 30)
    return undefined;
  const bytes = address.split(".").map(Number);
  const first = bytes[0] ?? 0;
  if (first === 0 || first === 127 || first >= 224) return undefined;
  const size = 2 ** (32 - length);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const network = number - (number % size);
  return `${[24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join(".")}/${length}`;
}

/** A network that tunnels' IPv6 addresses can be counted in: unique local or global, its host bits not written. */
export function isNetwork6(text: string): boolean {
  const [, prefix = "", bits = ""] = /^([0-9a-f:]+)::\/(48|64|80)$/.exec(text) ?? [];
  const groups = prefix.split(":");
  return (
    isIPv6(`${prefix}::`) && groups.length <= Number(bits) / 16 && /^(f[cd]..|[23]...)$/.test(groups[0] ?? "")
  );
}
