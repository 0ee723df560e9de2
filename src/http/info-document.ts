import type { ListingConfig } from "../config/types.ts";
import { SPEC_VERSION } from "../protocol/marketplace.ts";
import type { PaymentMethod } from "../protocol/payment-method.ts";
import type { Price } from "../protocol/price.ts";

/** GET /info (docs/spec.md): what directories compare with the listing. Names are the wire's own. */
export interface InfoDocument {
  software: "europa-node";
  version: string;
  spec_version: string;
  pubkey: string;
  endpoint: string;
  title: string;
  summary?: string;
  content: string;
  protocols: string[];
  region?: { country: string; sub?: string; geohash?: string };
  prices: { amount: number; currency: string; unit: string; rate_mbit?: number }[];
  /** Of the tiers that have none of their own. */
  rate_mbit?: number;
  policies: string[];
  policy_url?: string;
  /** One entry per method, in order; the URL arrays have no doubles. */
  payment_methods: string[];
  mints: string[];
  cashu_purchase_endpoints: string[];
  lightning_endpoints: string[];
}

export interface InfoSource {
  version: string;
  pubkey: string;
  publicHost: string;
  listing: ListingConfig;
  /** Null: tiers without a rate of their own have no limit. */
  rateMbit: number | null;
  methods: readonly PaymentMethod[];
}

export function buildInfoDocument({
  version,
  pubkey,
  publicHost,
  listing,
  rateMbit,
  methods,
}: InfoSource): InfoDocument {
  const { summary, region, policyUrl } = listing;
  const cashu = methods.filter((method) => method.type === "cashu");
  const lightning = methods.filter((method) => method.type === "lightning");
  return {
    software: "europa-node",
    version,
    spec_version: SPEC_VERSION,
    pubkey,
    endpoint: publicHost,
    title: listing.title,
    ...(summary === undefined ? {} : { summary }),
    content: listing.content,
    protocols: listing.protocols,
    ...(region === undefined ? {} : { region: regionOf(region) }),
    prices: listing.prices.map(tierOf),
    ...(rateMbit === null ? {} : { rate_mbit: rateMbit }),
    policies: listing.policies,
    ...(policyUrl === undefined ? {} : { policy_url: policyUrl }),
    payment_methods: methods.flatMap(({ type }) => (type === "unknown" ? [] : [type])),
    mints: once(cashu.map(({ mint }) => mint)),
    cashu_purchase_endpoints: once(
      cashu.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint])),
    ),
    lightning_endpoints: once(lightning.map(({ endpoint }) => endpoint)),
  };
}

function tierOf({ amount, currency, unit, rateMbit }: Price) {
  return { amount, currency, unit, ...(rateMbit === undefined ? {} : { rate_mbit: rateMbit }) };
}

function regionOf({ country, sub, geohash }: NonNullable<ListingConfig["region"]>) {
  return {
    country,
    ...(sub === undefined ? {} : { sub }),
    ...(geohash === undefined ? {} : { geohash }),
  };
}

function once(urls: readonly string[]): string[] {
  return [...new Set(urls)];
}
