import { z } from "zod";

/** One rule as `nft -j list ruleset` prints it (libnftables-json(5)), its statements unread. */
export interface NftRule {
  family: string;
  table: string;
  chain: string;
  statements: Record<string, unknown>[];
}

export interface NftChain {
  family: string;
  table: string;
  name: string;
  /** Of a base chain: `filter`, `nat`. */
  type: string | undefined;
  hook: string | undefined;
  policy: string | undefined;
}

export interface NftRuleset {
  chains: NftChain[];
  rules: NftRule[];
}

const ruleSchema = z.object({
  family: z.string(),
  table: z.string(),
  chain: z.string(),
  expr: z.array(z.record(z.string(), z.unknown())),
});
const chainSchema = z.object({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  type: z.string().optional(),
  hook: z.string().optional(),
  policy: z.string().optional(),
});
const listSchema = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });

/** Undefined for what is not the JSON of nft. */
export function parseRuleset(text: string): NftRuleset | undefined {
  const parsed = listSchema.safeParse(jsonOrUndefined(text));
  if (!parsed.success) return undefined;
  const ruleset: NftRuleset = { chains: [], rules: [] };
  for (const object of parsed.data.nftables) {
    const rule = ruleSchema.safeParse(object.rule);
    if (rule.success) {
      const { family, table, chain, expr } = rule.data;
      ruleset.rules.push({ family, table, chain, statements: expr });
    }
    const chain = chainSchema.safeParse(object.chain);
    if (chain.success) {
      const { type, hook, policy, ...named } = chain.data;
      ruleset.chains.push({ ...named, type, hook, policy });
    }
  }
  return ruleset;
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const matchSchema = z.object({ op: z.string(), left: z.record(z.string(), z.unknown()), right: z.unknown() });
const metaSchema = z.object({ key: z.string() });
const payloadSchema = z.object({ protocol: z.string(), field: z.string() });
const prefixSchema = z.object({ prefix: z.object({ addr: z.string(), len: z.number() }) });
const setSchema = z.object({ set: z.array(z.unknown()) });

/** What a NAT rule asks of a packet; a part that it does not ask for is undefined. */
export interface NatRule {
  /** `ip`, `ip6`, `inet`. */
  family: string;
  outInterfaces: string[] | undefined;
  /** CIDRs. */
  sources: string[] | undefined;
}

/** Every rule that gives packets this host's address on their way out, by nft or by iptables-nft. */
export function sourceNatRules(ruleset: NftRuleset): NatRule[] {
  return ruleset.rules.filter(({ statements }) => statements.some(isSourceNat)).map(toNatRule);
}

function isSourceNat(statement: Record<string, unknown>): boolean {
  if ("masquerade" in statement || "snat" in statement) return true;
  const { xt } = statement;
  const name = typeof xt === "object" && xt !== null && "name" in xt ? xt.name : undefined;
  return name === "MASQUERADE" || name === "SNAT";
}

function toNatRule({ family, statements }: NftRule): NatRule {
  const rule: NatRule = { family, outInterfaces: undefined, sources: undefined };
  for (const { match } of statements) {
    const parsed = matchSchema.safeParse(match);
    if (!parsed.success || parsed.data.op !== "==") continue;
    const { left, right } = parsed.data;
    const meta = metaSchema.safeParse(left.meta);
    if (meta.success && meta.data.key === "oifname") rule.outInterfaces = values(right);
    const payload = payloadSchema.safeParse(left.payload);
    if (payload.success && payload.data.field === "saddr") rule.sources = values(right);
  }
  return rule;
}

function values(right: unknown): string[] {
  const set = setSchema.safeParse(right);
  if (set.success) return set.data.set.flatMap(values);
  const prefix = prefixSchema.safeParse(right);
  if (prefix.success) return [`${prefix.data.prefix.addr}/${prefix.data.prefix.len}`];
  return typeof right === "string" ? [right] : [];
}
