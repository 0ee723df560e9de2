import { createHash } from "node:crypto";
import { DIRECTIONS, emptyRates, RATE_KEYS } from "./nft-rate.ts";
import { isInterfaceName } from "./peer-guard.ts";

/**
 * Our one table. A peer's packets are judged once, where they come in from the tunnel and where they go out to it: by
 * one look-up each for rate, time, data and foreign peers, however many peers there are. An accept ends our chain alone; other tables
 * judge as they did. After `mangle`, so that what the rules of scripts/wg-up.sh drop is not counted.
 */
export const FAMILIES = [
  { nft: "ip", type: "ipv4_addr", suffix: "4" },
  { nft: "ip6", type: "ipv6_addr", suffix: "6" },
] as const;
export type Family = (typeof FAMILIES)[number];

export const CHAINS = [
  { name: "from_peer", hook: "prerouting", device: "iifname", side: "saddr", rate: "up" },
  { name: "to_peer", hook: "postrouting", device: "oifname", side: "daddr", rate: "down" },
] as const;
type Chain = (typeof CHAINS)[number];

/**
 * One a family, beside those of the rates. `time`: passes uncounted. `data`: passes by its count. `limited`: has
 * limits, so it is nobody else's. `flows`: holds connections, which the kernel counts.
 */
export const SETS = ["time", "data", "limited", "flows", "foreign"] as const;

export function tableName(interfaceName: string): string {
  if (!isInterfaceName(interfaceName)) throw new TypeError("not a network interface's name");
  return `europa_limits_${interfaceName}`;
}

export function familyOf(address: string): Family {
  return address.includes(":") ? FAMILIES[1] : FAMILIES[0];
}

/** A table of ours: for which interface, and what does not depend on sessions. */
export interface TableShape {
  interfaceName: string;
  /** How many connections an address may hold; 0 is any number. */
  maxFlows: number;
}

/** Stands in the table itself, and tells it from one that other rules were written to. */
export function fingerprint(shape: TableShape): string {
  const rules = CHAINS.flatMap((chain) => acceptances(chain, shape));
  return createHash("sha256").update(rules.join("\n")).digest("hex").slice(0, 16);
}

/** What is in none of the sets does not pass. */
export function chainRules(chain: Chain, shape: TableShape): string[] {
  return [...acceptances(chain, shape), `drop comment "${fingerprint(shape)}"`];
}

/**
 * What comes faster than its rate is dropped before it meets a count. A packet without time meets its count only after
 * that: data is charged only while no time runs.
 */
function acceptances(chain: Chain, { interfaceName, maxFlows }: TableShape): string[] {
  const judged = FAMILIES.flatMap(({ nft, suffix }) => {
    const address = `${nft} ${chain.side}`;
    return [
      ...(chain.name === "from_peer" && maxFlows > 0 ? [flowRule(address, suffix, maxFlows)] : []),
      `${RATE_KEYS[nft][chain.side]} @${chain.rate} drop`,
      `${address} @time${suffix} accept`,
      `quota name ${address} map @data${suffix} accept`,
      `${address} @limited${suffix} drop`,
      `${address} @foreign${suffix} accept`,
    ];
  });
  return [`${chain.device} != "${interfaceName}" accept`, ...judged];
}

/**
 * Connections of a session's address beyond its number are not begun; those that it holds go on. Only a connection's
 * first packet is unconfirmed: to look each of them up in the list costs a hundred times as much.
 */
function flowRule(address: string, suffix: Family["suffix"], maxFlows: number): string {
  const isFirst = `ct status ! confirmed ${address} @limited${suffix}`;
  return `${isFirst} add @flows${suffix} { ${address} ct count over ${maxFlows} } drop`;
}

export function emptyTable(shape: TableShape): string {
  const sets = FAMILIES.flatMap(({ type, suffix }) => [
    `set time${suffix} { type ${type}; flags timeout; }`,
    `map data${suffix} { type ${type} : quota; flags timeout; }`,
    `set limited${suffix} { type ${type}; }`,
    `set flows${suffix} { type ${type}; size 65536; flags dynamic; }`,
    `set foreign${suffix} { type ${type}; flags interval; }`,
  ]);
  const chains = CHAINS.map((chain) => {
    const head = `type filter hook ${chain.hook} priority mangle + 5; policy accept;`;
    return `chain ${chain.name} {\n${[head, ...chainRules(chain, shape)].join("\n")}\n}`;
  });
  return [
    `table inet ${tableName(shape.interfaceName)} {`,
    ...DIRECTIONS.map(emptyRates),
    ...sets,
    ...chains,
    "}",
  ].join("\n");
}

/** The table gone, whether it was there or not. */
export function noTable(interfaceName: string): string {
  const table = `table inet ${tableName(interfaceName)}`;
  return `add ${table}\ndelete ${table}`;
}
