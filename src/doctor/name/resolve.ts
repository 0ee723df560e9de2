import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";

/** What DNS says of a name; a file such as /etc/hosts is not asked, since buyers do not have it. */
export type NameAnswer =
  | { kind: "known"; addresses: string[] }
  | { kind: "unknown" }
  /** `code` is the resolver's own. */
  | { kind: "silent"; code: string };

const TIMES = { timeout: 2_500, tries: 2 };

/** IPv4 addresses stand first. */
export async function resolveName(host: string): Promise<NameAnswer> {
  if (isIP(host) !== 0) return { kind: "known", addresses: [host] };
  const resolver = new Resolver(TIMES);
  const answers = await Promise.all([
    addressesOf(resolver.resolve4(host)),
    addressesOf(resolver.resolve6(host)),
  ]);
  const addresses = answers.flatMap((answer) => answer.addresses);
  if (addresses.length > 0) return { kind: "known", addresses };
  const silent = answers.find(({ code }) => code !== "ENOTFOUND" && code !== "ENODATA");
  return silent === undefined ? { kind: "unknown" } : { kind: "silent", code: silent.code ?? "no code" };
}

async function addressesOf(query: Promise<string[]>): Promise<{ addresses: string[]; code?: string }> {
  try {
    return { addresses: await query };
  } catch (error) {
    return { addresses: [], code: String((error as NodeJS.ErrnoException).code) };
  }
}

/** As programs on this host see it, /etc/hosts included; empty when they see none. */
export async function lookedUpHere(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return [...new Set(found.map(({ address }) => address))];
}
