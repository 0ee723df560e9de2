import { readFileSync } from "node:fs";
import { bech32 } from "@scure/base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildPayRequest,
  chooseTier,
  descriptionHash,
  encodeLnurl,
  lightningUri,
  type PayRequest,
  payMetadata,
  payRequestUrl,
  satTiers,
  type Tier,
} from "./lnurl.ts";
import type { Price, Quantity } from "./price.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../docs/vectors/lnurl.json", import.meta.url), "utf8"),
) as {
  tiers: { name: string; prices: Price[]; cases: { p: string | null; index?: number; reason?: string }[] }[];
  payRequests: {
    name: string;
    publicHost: string;
    operatorPubkey: string;
    dTag: string;
    tier: Tier;
    min: Quantity | null;
    max: Quantity | null;
    document: PayRequest;
    descriptionHash: string;
  }[];
  encoded: { url: string; lnurl: string }[];
};

describe.each(vectors.tiers)("tiers, $name", ({ prices, cases }) => {
  it.each(cases)("p=$p", ({ p, index, reason }) => {
    const chosen = chooseTier(p ?? undefined, prices);
    if (index === undefined) expect(chosen).toMatchObject({ ok: false, reason });
    else expect(chosen).toEqual({ ok: true, tier: { index, price: prices[index] } });
  });
});

describe("chooseTier", () => {
  const unit = fc.constantFrom<Price["unit"]>("hour", "day", "GiB");
  const currency = fc.constantFrom("sat", "SAT", "usd");
  const listing = fc.array(fc.record({ amount: fc.integer({ min: 1 }), currency, unit }), { maxLength: 6 });

  it("gives a tier of the listing, in sat, or a reason; and every tier in sat can be named", () => {
    fc.assert(
      fc.property(listing, fc.option(fc.oneof(fc.nat(9).map(String), unit, fc.string())), (prices, p) => {
        const chosen = chooseTier(p ?? undefined, prices);
        if (chosen.ok) {
          expect(chosen.tier.price).toBe(prices[chosen.tier.index]);
          expect(chosen.tier.price.currency.toLowerCase()).toBe("sat");
        }
        for (const tier of satTiers(prices)) {
          expect(chooseTier(String(tier.index), prices)).toEqual({ ok: true, tier });
        }
      }),
    );
  });

  it("says in words what can be named", () => {
    const [, mixed] = vectors.tiers;
    expect(chooseTier("0", mixed?.prices ?? [])).toMatchObject({
      message: expect.stringContaining("in sat: 1 (1000 sat/day), 3 (5000 SAT/week), 4 (900 sat/day)."),
    });
    const fault = chooseTier("<script>", mixed?.prices ?? []);
    expect(fault).toMatchObject({ message: expect.stringContaining("1 (1000 sat/day)") });
    expect(JSON.stringify(fault)).not.toContain("script");
  });
});

describe("the pay request", () => {
  it.each(vectors.payRequests)("$name", ({ document, descriptionHash: hash, min, max, ...offer }) => {
    expect(buildPayRequest({ ...offer, min: min ?? undefined, max: max ?? undefined })).toEqual(document);
    expect(descriptionHash(document.metadata)).toBe(hash);
  });

  it("has metadata of exactly these bytes", () => {
    const metadata = payMetadata("ab".repeat(32), "vpn", { amount: 1000, currency: "sat", unit: "day" });
    expect(metadata).toBe(
      `[["text/plain","VPN access: 1000 sat/day"],["text/identifier","${"ab".repeat(32)}:vpn"]]`,
    );
  });

  it("stays within what numbers hold exactly, in whole sat", () => {
    const tier: Tier = { index: 0, price: { amount: 10 ** 12, currency: "sat", unit: "hour" } };
    const max: Quantity = { amount: 9999, unit: "month" };
    const { minSendable, maxSendable } = buildPayRequest({
      publicHost: "vpn.example.com",
      operatorPubkey: "ab".repeat(32),
      dTag: "vpn",
      tier,
      min: undefined,
      max,
    });
    expect(minSendable).toBe(10 ** 15);
    expect(maxSendable).toBe(9_007_199_254_740_000);
  });
});

describe("LNURL", () => {
  it.each(vectors.encoded)("$url", ({ url, lnurl }) => {
    expect(encodeLnurl(url)).toBe(lnurl);
    expect(lightningUri(url)).toBe(`lightning:${lnurl}`);
  });

  it("says where a tier is bought", () => {
    const price: Price = { amount: 1, currency: "sat", unit: "day" };
    expect(payRequestUrl("vpn.example.com:8443", { index: 3, price })).toBe(
      "https://vpn.example.com:8443/lnurlp?p=3",
    );
  });

  it("decodes to the URL, however long", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, size: "large" }), (url) => {
        const { prefix, bytes } = bech32.decodeToBytes(encodeLnurl(url).toUpperCase(), false);
        expect(prefix).toBe("lnurl");
        expect(new TextDecoder().decode(bytes)).toBe(url);
      }),
    );
  });
});
