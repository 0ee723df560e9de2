import type { LimitChange, LimitRemoval, LimitSetting } from "../tunnels/ports.ts";
import { DIRECTIONS, limitAt, rateKey } from "./nft-rate.ts";
import { emptyTable, FAMILIES, familyOf, noTable, type TableShape, tableName } from "./nft-table.ts";
import { outermost } from "./outermost.ts";

/**
 * Bytes beyond its data that a session may pass. The kernel drops the packet that would reach a quota, and one packet
 * of many segments is up to 64 KiB: without them the last of what was paid for would not pass.
 */
export const ALLOWANCE_BYTES = 65_536;

/** A change as one transaction for `nft -f -`: the packets meet all of it, or nothing. */
export function printChange(shape: TableShape, change: LimitChange): string {
  const { interfaceName } = shape;
  const print = createPrinter(tableName(interfaceName));
  const foreign = change.foreignCidrs === undefined ? [] : print.foreign(change.foreignCidrs);
  const lines = change.rebuild
    ? [noTable(interfaceName), emptyTable(shape), ...print.anew(change.set)]
    : [...print.removals(change.remove), ...print.settings(change.set)];
  return [...lines, ...foreign, ""].join("\n");
}

/** Addresses, and the count that they lead to. */
interface Led {
  name: string | undefined;
  addresses: readonly string[];
}

function createPrinter(table: string) {
  function elements(
    verb: "add" | "delete",
    set: string,
    printed: readonly string[],
    suffix: string,
  ): string[] {
    return printed.length === 0
      ? []
      : [`${verb} element inet ${table} ${set}${suffix} { ${printed.join(", ")} }`];
  }

  /** One statement a family, however many addresses there are. */
  function forAddresses<T extends { addresses: readonly string[] }>(
    verb: "add" | "delete",
    set: string,
    of: readonly T[],
    print: (address: string, item: T) => string | undefined,
  ): string[] {
    return FAMILIES.flatMap((family) => {
      const printed = of.flatMap((item) =>
        item.addresses.filter((each) => familyOf(each) === family).flatMap((each) => print(each, item) ?? []),
      );
      return elements(verb, set, printed, family.suffix);
    });
  }

  /** One statement a direction: a session's addresses have one rate together. */
  function forRates<T extends { addresses: readonly string[] }>(
    verb: "add" | "delete",
    of: readonly T[],
    print: (item: T) => string | undefined,
  ): string[] {
    const printed = of.flatMap((item) => {
      const terms = print(item);
      return terms === undefined
        ? []
        : item.addresses.flatMap((each) => rateKey(each) ?? []).map((key) => `${key}${terms}`);
    });
    return DIRECTIONS.flatMap((direction) => elements(verb, direction, printed, ""));
  }

  const bare = (address: string) => address;
  const counted = (address: string, { name }: Led) => name && `${address} : ${name}`;
  const quota = (name: string, totalBytes: number, usedBytes: number) =>
    `add quota inet ${table} ${name} { until ${totalBytes + ALLOWANCE_BYTES} bytes used ${usedBytes} bytes }`;
  const noQuota = (name: string) => `delete quota inet ${table} ${name}`;

  /**
   * Deleting what is not there, or has timed out, would fail the whole transaction, and before Linux 6.12 an element
   * added again keeps its old end: so everything is added, deleted, and only then added as it should be.
   */
  function cleared(items: readonly Led[]): string[] {
    const withCount = items.filter(({ name }) => name !== undefined);
    return [
      ...forRates("add", items, () => ""),
      ...forRates("delete", items, () => ""),
      ...forAddresses("add", "data", withCount, counted),
      ...forAddresses("delete", "data", withCount, bare),
      ...forAddresses("add", "time", items, bare),
      ...forAddresses("delete", "time", items, bare),
    ];
  }

  function anew(set: readonly LimitSetting[]): string[] {
    return [
      ...set.flatMap(({ name, data }) => (data ? [quota(name, data.totalBytes, data.usedBytes)] : [])),
      ...filled(set),
    ];
  }

  function filled(set: readonly LimitSetting[]): string[] {
    return [
      ...forAddresses(
        "add",
        "data",
        set,
        (each, { name, data }) => data && `${each}${timeout(data.leftMs)} : ${name}`,
      ),
      ...forAddresses("add", "time", set, (each, { time }) => time && `${each}${timeout(time.leftMs)}`),
      ...forAddresses("add", "limited", set, bare),
      ...forRates("add", set, ({ rateMbit }) => (rateMbit === null ? undefined : ` ${limitAt(rateMbit)}`)),
    ];
  }

  return {
    anew,
    removals: (remove: readonly LimitRemoval[]): string[] => {
      const names = remove.flatMap(({ count }) => (count?.goes ? count.name : []));
      return [
        ...names.map((name) => quota(name, 0, 0)),
        ...cleared(remove.map(({ addresses, count }) => ({ addresses, name: count?.name }))),
        ...forAddresses("add", "limited", remove, bare),
        ...forAddresses("delete", "limited", remove, bare),
        ...names.map(noQuota),
      ];
    },
    /** A quota that is there gets its new total and keeps its count; to count anew it has to be another. */
    settings: (set: readonly LimitSetting[]): string[] => {
      const other = set.filter(({ counts, data }) => counts === "anew" || data === undefined);
      return [
        ...set.map(({ name, data }) => quota(name, data?.totalBytes ?? 0, data?.usedBytes ?? 0)),
        ...cleared(set),
        ...other.map(({ name }) => noQuota(name)),
        ...other.flatMap(({ name, data }) => (data ? [quota(name, data.totalBytes, data.usedBytes)] : [])),
        ...filled(set),
      ];
    },
    foreign: (cidrs: readonly string[]): string[] =>
      FAMILIES.flatMap((family) => [
        `flush set inet ${table} foreign${family.suffix}`,
        ...elements(
          "add",
          "foreign",
          outermost(cidrs.filter((cidr) => familyOf(cidr) === family)),
          family.suffix,
        ),
      ]),
  };
}

function timeout(leftMs: number | null): string {
  return leftMs === null ? "" : ` timeout ${inNftUnits(leftMs)}`;
}

/** nft takes no number of more than eight digits here. */
function inNftUnits(leftMs: number): string {
  const ms = Math.max(1, Math.round(leftMs));
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 86_400)}d${seconds % 86_400}s${ms % 1000}ms`;
}
