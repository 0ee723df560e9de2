import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuthoredEvent } from "./event.ts";
import { geohashLadder } from "./geohash.ts";
import { buildListing, isStale, type Listing, listingCoordinate, parseListing } from "./listing.ts";
import type { Quantity, Unit } from "./price.ts";

const PUBKEY = "ab".repeat(32);
const NOW = 1_700_000_000;
const P2PK = `02${"cd".repeat(32)}`;

const full: Listing = {
  dTag: "vpn-us-1",
  title: "Tampa tunnel",
  content: "# Fast",
  protocols: ["wireguard", "openvpn"],
  topics: ["Privacy"],
  prices: [
    { amount: 100, currency: "sat", unit: "hour" },
    { amount: 0.0000005, currency: "btc", unit: "GiB" },
  ],
  paymentMethods: [
    { type: "lightning", endpoint: "https://vpn.example/lnurlp", mechanism: "lnurl-pay" },
    { type: "cashu", mint: "https://mint.example", p2pk: P2PK, endpoint: "https://vpn.example/purchase" },
    { type: "cashu", mint: "https://other.example", p2pk: P2PK },
    { type: "unknown", tag: ["payment", "barter", "two goats", ""] },
  ],
  status: "sold",
  region: { country: "US", sub: "US-FL", geohash: "DHVR5" },
  summary: "A tunnel",
  minPurchase: { amount: 1, unit: "hour" },
  maxPurchase: { amount: 3, unit: "month" },
  publishedAt: 1_600_000_000,
  image: "https://vpn.example/a.png",
  capacity: { amount: 253, unit: "peers" },
  policies: ["no-logs", "no-torrents"],
  policyUrl: "https://vpn.example/policy",
  protocolConfigUrl: "https://vpn.example/config",
};

const publish = (listing: Listing, createdAt = NOW): AuthoredEvent => ({
  ...buildListing(listing),
  pubkey: PUBKEY,
  created_at: createdAt,
});

describe("buildListing", () => {
  it("writes every tag in the order of the wire", () => {
    expect(buildListing(full)).toEqual({
      kind: 30402,
      content: "# Fast",
      tags: [
        ["d", "vpn-us-1"],
        ["title", "Tampa tunnel"],
        ["t", "europa-protocol"],
        ["t", "vpn-marketplace"],
        ["t", "wireguard"],
        ["t", "openvpn"],
        ["t", "privacy"],
        ["price", "100", "sat", "hour"],
        ["price", "0.0000005", "btc", "GiB"],
        ["payment", "lightning", "https://vpn.example/lnurlp", "lnurl-pay"],
        ["payment", "cashu", "https://mint.example", P2PK, "https://vpn.example/purchase"],
        ["payment", "cashu", "https://other.example", P2PK],
        ["payment", "barter", "two goats", ""],
        ["status", "sold"],
        ["location", "US", "US-FL"],
        ["g", "d"],
        ["g", "dh"],
        ["g", "dhv"],
        ["g", "dhvr"],
        ["g", "dhvr5"],
        ["summary", "A tunnel"],
        ["min-purchase", "1", "hour"],
        ["max-purchase", "3", "month"],
        ["published_at", "1600000000"],
        ["image", "https://vpn.example/a.png"],
        ["capacity", "253", "peers"],
        ["policy", "no-logs", "no-torrents"],
        ["policy-url", "https://vpn.example/policy"],
        ["protocol-config", "https://vpn.example/config"],
      ],
    });
  });

  it("leaves out what is not there", () => {
    const bare: Listing = {
      dTag: "a",
      title: "b",
      content: "",
      protocols: ["wireguard"],
      topics: [],
      prices: [{ amount: 1, currency: "sat", unit: "day" }],
      paymentMethods: [{ type: "cashu", mint: "https://mint.example", p2pk: P2PK }],
      status: "active",
      summary: "",
      region: { country: "", geohash: "not a geohash" },
      policies: [],
    };
    const names = buildListing(bare).tags.map(([name]) => name);
    expect(names).toEqual(["d", "title", "t", "t", "t", "price", "payment"]);
  });

  it("writes each topic once", () => {
    const topics = ["VPN-Marketplace", "privacy", "Privacy", "wireguard", ""];
    const written = buildListing({ ...full, topics }).tags.filter(([name]) => name === "t");
    expect(written.map(([, topic]) => topic)).toEqual([
      "europa-protocol",
      "vpn-marketplace",
      "wireguard",
      "openvpn",
      "privacy",
    ]);
  });
});

const text = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" });
const url = fc.webUrl();
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const unit = fc.constantFrom<Unit>("hour", "day", "week", "month", "GiB", "TiB");
const amount = fc
  .tuple(fc.integer({ min: 1, max: 10 ** 9 }), fc.integer({ min: 0, max: 9 }))
  .map(([digits, places]) => Number(`${digits}e-${places}`));
const quantity: fc.Arbitrary<Quantity> = fc.record({ amount, unit });
const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
const p2pk = hex.map((key) => `03${key}`);
const geohash = fc.string({
  unit: fc.constantFrom(..."0123456789bcdefghjkmnpqrstuvwxyz"),
  minLength: 1,
  maxLength: 12,
});
const reserved = ["europa-protocol", "vpn-marketplace", "wireguard", "openvpn"];
const topic = text
  .map((word) => word.toLowerCase())
  .filter((word) => !reserved.includes(word) && word === word.toLowerCase());
const mechanism = fc.constantFrom("bolt11" as const, "lnurl-pay" as const, "keysend" as const);
const method = fc.oneof(
  fc.record({ type: fc.constant("lightning" as const), endpoint: url, mechanism }),
  fc.record({ type: fc.constant("cashu" as const), mint: url, p2pk, endpoint: maybe(url) }),
  fc.record({
    type: fc.constant("unknown" as const),
    tag: fc
      .tuple(
        text.filter((type) => type !== "lightning" && type !== "cashu"),
        fc.array(fc.string()),
      )
      .map(([type, rest]) => ["payment", type, ...rest]),
  }),
);
const anyListing: fc.Arbitrary<Listing> = fc.record({
  dTag: text,
  title: text,
  content: fc.string(),
  protocols: fc.subarray(["wireguard", "openvpn"], { minLength: 1 }),
  topics: fc.uniqueArray(topic),
  prices: fc.array(fc.record({ amount, currency: text, unit }), { minLength: 1 }),
  paymentMethods: fc.array(method, { minLength: 1 }),
  status: fc.constantFrom("active" as const, "sold" as const),
  region: maybe(fc.record({ country: text, sub: maybe(text), geohash: maybe(geohash) })),
  summary: maybe(text),
  minPurchase: maybe(quantity),
  maxPurchase: maybe(quantity),
  publishedAt: maybe(fc.integer({ min: 1, max: 2 ** 40 })),
  image: maybe(url),
  capacity: maybe(fc.record({ amount, unit: text })),
  policies: fc.array(fc.string()),
  policyUrl: maybe(url),
  protocolConfigUrl: maybe(url),
});

describe("parseListing", () => {
  it("reads back every listing that was built", () => {
    fc.assert(
      fc.property(anyListing, (listing) => {
        expect(parseListing(publish(listing))).toEqual({
          ok: true,
          listing,
          pubkey: PUBKEY,
          createdAt: NOW,
          coordinate: listingCoordinate(PUBKEY, listing.dTag),
        });
      }),
    );
  });

  const without = (name: string): AuthoredEvent => {
    const event = publish(full);
    return { ...event, tags: event.tags.filter((tag) => tag[0] !== name) };
  };
  const withTags = (tags: string[][]): AuthoredEvent => {
    const names = new Set(tags.map((tag) => tag[0]));
    const event = publish(full);
    return { ...event, tags: [...event.tags.filter((tag) => !names.has(tag[0] ?? "")), ...tags] };
  };
  const listingOf = (event: AuthoredEvent): Listing => {
    const parsed = parseListing(event);
    if (!parsed.ok) throw new Error(parsed.reason);
    return parsed.listing;
  };

  it.each([
    ["wrong-kind", { ...publish(full), kind: 30403 }],
    ["not-europa-protocol", without("t")],
    ["no-protocol", withTags([["t", "europa-protocol"]])],
    ["no-identifier", without("d")],
    ["no-identifier", withTags([["d", ""]])],
    ["no-title", without("title")],
    ["no-price", without("price")],
    ["no-price", withTags([["price", "100", "sat", "fortnight"]])],
    ["no-payment", without("payment")],
    ["no-payment", withTags([["payment"]])],
  ])("gives the reason %s", (reason, event) => {
    expect(parseListing(event)).toEqual({ ok: false, reason });
  });

  it.each(["europa-protocol", "vpn-marketplace", "VPN-Marketplace"])(
    "is content with the topic %s alone",
    (mark) => {
      const listing = listingOf(
        withTags([
          ["t", mark],
          ["t", "WireGuard"],
          ["t", "fast"],
        ]),
      );
      expect(listing).toMatchObject({ protocols: ["wireguard"], topics: ["fast"] });
    },
  );

  it("keeps a payment tag that it cannot read", () => {
    const tags = [
      ["payment", "lightning", "https://a.example"],
      ["payment", "cashu", "https://mint.example"],
    ];
    expect(listingOf(withTags(tags)).paymentMethods).toEqual(tags.map((tag) => ({ type: "unknown", tag })));
  });

  it("leaves out what it cannot read beside the mandatory parts", () => {
    const listing = listingOf(
      withTags([
        ["price", "free", "sat", "day"],
        ["price", "5", "sat", "day"],
        ["min-purchase", "1", "fortnight"],
        ["max-purchase", "-1", "day"],
        ["capacity", "many", "peers"],
        ["published_at", "yesterday"],
        ["g", "not a geohash"],
        ["location"],
        ["status", "who knows"],
      ]),
    );
    expect(listing.prices).toEqual([{ amount: 5, currency: "sat", unit: "day" }]);
    expect(listing).toMatchObject({ status: "active" });
    for (const name of ["minPurchase", "maxPurchase", "capacity", "publishedAt", "region"] as const) {
      expect(listing[name]).toBeUndefined();
    }
  });

  it("reads a geohash without a country", () => {
    const tags = geohashLadder("dhvr5").map((prefix) => ["g", prefix]);
    const event = withTags(tags.reverse());
    event.tags = event.tags.filter(([name]) => name !== "location");
    expect(listingOf(event).region).toEqual({ country: "", geohash: "dhvr5" });
  });

  it("never throws", () => {
    const names = [
      "d",
      "t",
      "title",
      "price",
      "payment",
      "location",
      "g",
      "published_at",
      "policy",
      "capacity",
    ];
    const name = fc.constantFrom(...names);
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom("europa-protocol", "wireguard", "1", "sat", "day", "cashu"),
    );
    const tag = fc.oneof(
      fc.array(fc.string()),
      fc.tuple(name, fc.array(value)).map(([first, rest]) => [first, ...rest]),
    );
    const event = fc.record({
      kind: fc.constant(30402),
      pubkey: fc.constant(PUBKEY),
      created_at: fc.constant(NOW),
      content: fc.string(),
      tags: fc.array(tag),
    });
    fc.assert(
      fc.property(event, (foreign) => {
        expect(parseListing(foreign)).toHaveProperty("ok");
      }),
    );
    fc.assert(
      fc.property(fc.anything(), (garbage) => {
        expect(parseListing(garbage as AuthoredEvent)).toEqual({ ok: false, reason: "wrong-kind" });
      }),
    );
  });
});

describe("isStale", () => {
  const month = 30 * 86_400;

  it("is a listing not refreshed for 30 days", () => {
    const active: Listing = { ...full, status: "active" };
    expect(isStale(publish(active, NOW - month), NOW)).toBe(false);
    expect(isStale(publish(active, NOW - month - 1), NOW)).toBe(true);
  });

  it("never is a sold one", () => {
    expect(isStale(publish(full, NOW - 10 * month), NOW)).toBe(false);
  });
});
