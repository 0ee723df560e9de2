import { z } from "zod";
import type { LimitCounts, LimitsView } from "../tunnels/ports.ts";
import { DIRECTIONS, readRates } from "./nft-rate.ts";
import { ALLOWANCE_BYTES } from "./nft-script.ts";
import { CHAINS, chainRules, FAMILIES, fingerprint, SETS, type TableShape, tableName } from "./nft-table.ts";

const table = z.string();
const setSchema = z.object({ table, name: z.string(), elem: z.array(z.unknown()).optional() });

/** What `nft -j list` prints (libnftables-json(5)), as far as we look at it. */
const printedSchema = z.object({
  nftables: z.array(
    z.object({
      quota: z.object({ table, name: z.string(), bytes: z.number(), used: z.number() }).optional(),
      set: setSchema.optional(),
      map: setSchema.optional(),
      chain: z.object({ table, name: z.string(), hook: z.string().optional() }).optional(),
      rule: z.object({ table, chain: z.string(), comment: z.string().optional() }).optional(),
    }),
  ),
});
type Printed = z.infer<typeof printedSchema>["nftables"];

export const nothing: LimitsView = {
  whole: false,
  time: new Map(),
  data: new Map(),
  counts: new Map(),
  rates: new Map(),
  limited: new Set(),
};

/** Throws for what nft does not print. */
export function parseTable(json: string, shape: TableShape): LimitsView {
  const printed = printedSchema.parse(JSON.parse(json)).nftables;
  const sets = new Map(
    printed.flatMap(({ set, map }) => {
      const found = set ?? map;
      return found ? [[found.name, found.elem ?? []] as const] : [];
    }),
  );
  const elementsOf = (name: string) => FAMILIES.flatMap(({ suffix }) => sets.get(name + suffix) ?? []);
  return {
    whole: isWhole(printed, new Set(sets.keys()), shape),
    time: new Map(
      elementsOf("time")
        .map(element)
        .filter((found) => found !== undefined),
    ),
    data: new Map(elementsOf("data").flatMap(dataElement)),
    counts: countsOf(printed),
    rates: readRates((direction) => sets.get(direction) ?? []),
    limited: new Set(elementsOf("limited").flatMap((each) => (typeof each === "string" ? [each] : []))),
  };
}

/** Of our table, among all that are printed. Throws for what nft does not print. */
export function parseCounts(json: string, shape: TableShape): LimitCounts {
  const ours = tableName(shape.interfaceName);
  const printed = printedSchema
    .parse(JSON.parse(json))
    .nftables.filter(({ quota, set, map, chain, rule }) =>
      [quota, set, map, chain, rule].some((object) => object?.table === ours),
    );
  const sets = new Set(printed.flatMap(({ set, map }) => (set ?? map)?.name ?? []));
  return { whole: isWhole(printed, sets, shape), counts: countsOf(printed) };
}

function countsOf(printed: Printed): LimitsView["counts"] {
  return new Map(
    printed.flatMap(({ quota }) =>
      quota
        ? [[quota.name, { totalBytes: quota.bytes - ALLOWANCE_BYTES, usedBytes: quota.used }] as const]
        : [],
    ),
  );
}

function isWhole(printed: Printed, sets: ReadonlySet<string>, shape: TableShape): boolean {
  const hasSets =
    DIRECTIONS.every((direction) => sets.has(direction)) &&
    SETS.every((name) => FAMILIES.every(({ suffix }) => sets.has(name + suffix)));
  const ours = fingerprint(shape);
  return (
    hasSets &&
    CHAINS.every((of) => {
      const rules = printed.flatMap(({ rule }) => (rule?.chain === of.name ? rule : []));
      const hooked = printed.some(({ chain }) => chain?.name === of.name && chain.hook === of.hook);
      return hooked && rules.length === chainRules(of, shape).length && rules.at(-1)?.comment === ours;
    })
  );
}

const timedElement = z.object({ elem: z.object({ val: z.string(), expires: z.number().optional() }) });

/** An address, and what is left of its time. nft prints whole seconds here, rounded down. */
function element(printed: unknown): [string, number | null] | undefined {
  if (typeof printed === "string") return [printed, null];
  const timed = timedElement.safeParse(printed);
  if (!timed.success) return undefined;
  const { val, expires } = timed.data.elem;
  return [val, expires === undefined ? null : expires * 1000];
}

function dataElement(printed: unknown): [string, { name: string; leftMs: number | null }][] {
  if (!Array.isArray(printed)) return [];
  const [key, name] = printed as unknown[];
  const [address, leftMs] = element(key) ?? [];
  if (address === undefined || leftMs === undefined || typeof name !== "string") return [];
  return [[address, { name, leftMs }]];
}
