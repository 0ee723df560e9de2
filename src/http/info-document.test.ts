import { expect, it } from "vitest";
import type { ListingConfig } from "../config/types.ts";
import type { PaymentMethod } from "../protocol/payment-method.ts";
import { buildInfoDocument } from "./info-document.ts";

const BARE: ListingConfig = {
  dTag: "vpn-1",
  title: "A tunnel",
  summary: undefined,
  content: "",
  protocols: ["wireguard"],
  policies: [],
  policyUrl: undefined,
  protocolConfigUrl: undefined,
  image: undefined,
  topics: ["vpn"],
  region: undefined,
  capacity: undefined,
  minPurchase: undefined,
  maxPurchase: undefined,
  prices: [{ amount: 100, currency: "sat", unit: "hour" }],
  priceGraceSeconds: 3600,
  refreshMinutes: 60,
  soldWhenUnreachable: false,
};

function build(listing: Partial<ListingConfig>, methods: PaymentMethod[], rateMbit: number | null = null) {
  const source = { version: "1.2.3", pubkey: "ab".repeat(32), publicHost: "vpn.example.com" };
  return buildInfoDocument({ ...source, listing: { ...BARE, ...listing }, rateMbit, methods });
}

const cashu = (mint: string): PaymentMethod => ({
  type: "cashu",
  mint,
  p2pk: `02${"ab".repeat(32)}`,
  endpoint: "https://vpn.example.com/purchase",
});

it("is the wire's document, field for field", () => {
  const document = build(
    {
      summary: "Short",
      content: "Long",
      policies: ["no-logs"],
      policyUrl: "https://vpn.example.com/policy",
      region: { country: "US", sub: "US-FL", geohash: "dhvr5" },
    },
    [
      { type: "lightning", endpoint: "https://vpn.example.com/lnurlp", mechanism: "lnurl-pay" },
      cashu("https://a.example"),
      cashu("https://b.example"),
      cashu("https://a.example"),
    ],
  );
  expect(JSON.parse(JSON.stringify(document))).toEqual({
    software: "europa-node",
    version: "1.2.3",
    spec_version: "vpn-marketplace/1",
    pubkey: "ab".repeat(32),
    endpoint: "vpn.example.com",
    title: "A tunnel",
    summary: "Short",
    content: "Long",
    protocols: ["wireguard"],
    region: { country: "US", sub: "US-FL", geohash: "dhvr5" },
    prices: [{ amount: 100, currency: "sat", unit: "hour" }],
    policies: ["no-logs"],
    policy_url: "https://vpn.example.com/policy",
    payment_methods: ["lightning", "cashu", "cashu", "cashu"],
    mints: ["https://a.example", "https://b.example"],
    cashu_purchase_endpoints: ["https://vpn.example.com/purchase"],
    lightning_endpoints: ["https://vpn.example.com/lnurlp"],
  });
});

it("says how fast tiers are, and those that do not say", () => {
  const tiers = [
    { amount: 100, currency: "sat", unit: "hour" as const },
    { amount: 150, currency: "sat", unit: "hour" as const, rateMbit: 100 },
  ];
  const document = build({ prices: tiers }, [], 20);
  expect(document.prices).toStrictEqual([
    tiers[0],
    { amount: 150, currency: "sat", unit: "hour", rate_mbit: 100 },
  ]);
  expect(document.rate_mbit).toBe(20);
});

it("leaves out what is not configured", () => {
  const document = build({ region: { country: "DE", sub: undefined, geohash: undefined } }, [
    { type: "cashu", mint: "https://a.example", p2pk: `02${"ab".repeat(32)}` },
  ]);
  expect(Object.keys(document)).not.toContain("summary");
  expect(Object.keys(document)).not.toContain("policy_url");
  expect(document.region).toStrictEqual({ country: "DE" });
  expect(document.cashu_purchase_endpoints).toEqual([]);
  expect(Object.keys(build({}, []))).not.toContain("region");
});
