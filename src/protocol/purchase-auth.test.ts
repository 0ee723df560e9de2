import fc from "fast-check";
import { type EventTemplate, finalizeEvent, generateSecretKey, type VerifiedEvent } from "nostr-tools/pure";
import { describe, expect, it } from "vitest";
import type { NostrEvent } from "./event.ts";
import { listingCoordinate } from "./listing.ts";
import type { Price, Unit } from "./price.ts";
import {
  type AuthorizedOffer,
  buildAuthorization,
  checkAuthorization,
  encodeAuthorization,
  readAuthorization,
} from "./purchase-auth.ts";
import { Refusal } from "./refusal.ts";

const NOW = 1_700_000_000;
const day: Price = { amount: 1000, currency: "sat", unit: "day" };
const week: Price = { amount: 5000, currency: "sat", unit: "week" };
const coordinate = listingCoordinate("ab".repeat(32), "vpn");
const offer: AuthorizedOffer = { now: NOW, publicHost: "vpn.example", coordinate, prices: [day, week] };
const secretKey = generateSecretKey();

const template = (): EventTemplate =>
  buildAuthorization({ now: NOW, publicHost: "vpn.example", coordinate, price: day });
const sign = (event: EventTemplate): VerifiedEvent => finalizeEvent({ ...event }, secretKey);
/** The good authorization with all tags of one name replaced. */
const withTags = (name: string, ...values: string[][]): VerifiedEvent => {
  const good = template();
  const tags = [...good.tags.filter((tag) => tag[0] !== name), ...values.map((value) => [name, ...value])];
  return sign({ ...good, tags });
};
const headerOf = (value: unknown) => `Nostr ${Buffer.from(JSON.stringify(value)).toString("base64")}`;

function refusalOf(action: () => unknown): Refusal {
  try {
    action();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("an authorization", () => {
  it("is built, carried and read back for any offer", () => {
    const unit = fc.constantFrom<Unit>("hour", "day", "week", "month", "GiB", "TiB");
    const price = fc.record({
      amount: fc.integer({ min: 1, max: 10 ** 9 }),
      currency: fc.constantFrom("sat", "usd"),
      unit,
    });
    const d = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" });
    fc.assert(
      fc.property(price, d, fc.domain(), fc.integer({ min: 1, max: 10_000 }), (tier, dTag, host, seconds) => {
        const purchase = { now: NOW, publicHost: host, coordinate: listingCoordinate("ab".repeat(32), dTag) };
        const event = sign(buildAuthorization({ ...purchase, price: tier, expiresInSeconds: seconds }));
        const read = readAuthorization(encodeAuthorization(event));
        expect(read).toEqual(JSON.parse(JSON.stringify(event)));
        expect(checkAuthorization(read, { ...purchase, prices: [week, tier] })).toEqual(tier);
      }),
      { numRuns: 25 },
    );
  });

  it("lives 300 seconds and has the tags of the wire", () => {
    expect(template()).toEqual({
      kind: 24242,
      created_at: NOW,
      content: "Purchase VPN access",
      tags: [
        ["t", "vpn-purchase"],
        ["expiration", String(NOW + 300)],
        ["server", "vpn.example"],
        ["a", coordinate],
        ["price", "1000", "sat", "day"],
      ],
    });
  });
});

describe("readAuthorization", () => {
  // Bytes that make base64 and base64url differ, and a length that needs padding.
  const event = sign({ ...template(), content: "~~~???ÿÿ>>>" });
  const base64 = Buffer.from(JSON.stringify(event)).toString("base64");

  it.each([
    ["base64", `Nostr ${base64}`],
    ["unpadded base64", `Nostr ${base64.replaceAll("=", "")}`],
    ["base64url", `Nostr ${base64.replaceAll("+", "-").replaceAll("/", "_")}`],
    ["unpadded base64url", `Nostr ${Buffer.from(JSON.stringify(event)).toString("base64url")}`],
    ["the scheme in any case", `nOSTR ${base64}`],
    ["more spaces", `  Nostr   ${base64} `],
  ])("takes %s", (_, header) => {
    expect(readAuthorization(header)).toMatchObject({ id: event.id, content: event.content });
  });

  it.each([
    ["no header", undefined],
    ["an empty header", ""],
    ["another scheme", `Bearer ${base64}`],
    ["no scheme", base64],
    ["a scheme alone", "Nostr "],
    ["two values", `Nostr ${base64} ${base64}`],
    ["no base64", "Nostr {}"],
    ["cut base64", "Nostr abcde"],
    ["no JSON", `Nostr ${Buffer.from("hello").toString("base64")}`],
    ["no UTF-8", `Nostr ${Buffer.from(JSON.stringify(event), "latin1").toString("base64")}`],
    ["no object", headerOf(null)],
    ["an array", headerOf([event])],
    ["an unsigned event", headerOf(template())],
    ["tags that are none", headerOf({ ...event, tags: ["t", "vpn-purchase"] })],
    ["too many tags", headerOf({ ...event, tags: Array.from({ length: 101 }, () => []) })],
    ["too much", headerOf({ ...event, content: "x".repeat(16_384) })],
  ])("refuses %s as bad-request", (_, header) => {
    expect(refusalOf(() => readAuthorization(header))).toMatchObject({
      reason: "bad-request",
      inAuthorization: true,
    });
  });

  const other = sign({ ...template(), content: "other" });
  it.each([
    ["changed content", { ...event, content: "x" }],
    ["a changed kind", { ...event, kind: 1 }],
    ["a changed tag", { ...event, tags: [["t", "vpn-purchase"]] }],
    ["another's id", { ...event, id: other.id }],
    ["another's signature", { ...event, sig: other.sig }],
    ["another's pubkey", { ...event, pubkey: "ab".repeat(32) }],
    ["a pubkey that is no point", { ...event, pubkey: "ff".repeat(32) }],
    ["a signature of zeros", { ...event, sig: "00".repeat(64) }],
  ])("refuses %s as bad-signature", (_, forged) => {
    expect(refusalOf(() => readAuthorization(headerOf(forged)))).toMatchObject({
      reason: "bad-signature",
      inAuthorization: true,
    });
  });

  it("refuses another kind as wrong-kind", () => {
    const header = encodeAuthorization(sign({ ...template(), kind: 27235 }));
    expect(refusalOf(() => readAuthorization(header))).toMatchObject({
      reason: "wrong-kind",
      inAuthorization: true,
    });
  });

  it.each([
    ["no t tag", withTags("t")],
    ["another action", withTags("t", ["upload"])],
    ["the right action behind another", withTags("t", ["upload"], ["vpn-purchase"])],
    ["an empty t tag first", withTags("t", [], ["vpn-purchase"])],
  ])("refuses %s as wrong-action", (_, wrong) => {
    expect(refusalOf(() => readAuthorization(encodeAuthorization(wrong)))).toMatchObject({
      reason: "wrong-action",
      inAuthorization: true,
    });
  });

  it("throws nothing but a Refusal", () => {
    const json = fc.oneof(fc.jsonValue(), fc.record({ ...fieldsOf(event), kind: fc.jsonValue() }));
    fc.assert(fc.property(fc.string(), (text) => void refusalOf(() => readAuthorization(text))));
    fc.assert(fc.property(fc.string(), (text) => void refusalOf(() => readAuthorization(`Nostr ${text}`))));
    fc.assert(fc.property(json, (value) => void refusalOf(() => readAuthorization(headerOf(value)))));
  });
});

function fieldsOf(event: NostrEvent) {
  const { id, pubkey, created_at, tags, content, sig } = event;
  return {
    id: fc.constant(id),
    pubkey: fc.constant(pubkey),
    created_at: fc.constant(created_at),
    tags: fc.constant(tags),
    content: fc.constant(content),
    sig: fc.constant(sig),
  };
}

describe("checkAuthorization", () => {
  it.each<[string, NostrEvent]>([
    ["no-expiration", withTags("expiration")],
    ["no-expiration", withTags("expiration", ["soon"], [])],
    ["expired-auth", withTags("expiration", [String(NOW)])],
    ["expired-auth", withTags("expiration", [String(NOW + 300)], [String(NOW - 1)])],
    ["wrong-server", withTags("server")],
    ["wrong-server", withTags("server", ["evil.example"])],
    ["wrong-server", withTags("server", ["evil.example"], ["vpn.example"])],
    ["wrong-server", withTags("server", ["vpn.example:8443"])],
    ["wrong-server", withTags("server", ["vpn.example.evil.example"])],
    ["wrong-server", withTags("server", ["evil.example@vpn.example"])],
    ["wrong-server", withTags("server", ["https://vpn.example"])],
    ["no-listing", withTags("a")],
    ["unknown-listing", withTags("a", [listingCoordinate("ab".repeat(32), "other")])],
    ["unknown-listing", withTags("a", [])],
    ["no-price", withTags("price")],
    ["price-mismatch", withTags("price", ["999", "sat", "day"])],
    ["price-mismatch", withTags("price", ["1000", "usd", "day"])],
    ["price-mismatch", withTags("price", ["1000", "sat", "week"])],
    ["price-mismatch", withTags("price", ["cheap"], [])],
  ])("refuses with %s: %#", (reason, event) => {
    expect(refusalOf(() => checkAuthorization(event, offer)).reason).toBe(reason);
  });

  it("lets the last number count as the expiration", () => {
    const event = withTags("expiration", [String(NOW - 1)], [String(NOW + 1)], ["never"]);
    expect(checkAuthorization(event, offer)).toBe(day);
  });

  it("takes any a tag", () => {
    expect(checkAuthorization(withTags("a", ["30023:x:y"], [coordinate, "wss://relay.example"]), offer)).toBe(
      day,
    );
  });

  it("takes the buyer's first price that is on offer", () => {
    const tags = [
      ["1", "sat", "day"],
      ["5000", "SAT", "week"],
      ["1000", "sat", "day"],
    ];
    expect(checkAuthorization(withTags("price", ...tags), offer)).toBe(week);
  });

  it.each([
    ["VPN.Example", "vpn.example"],
    ["vpn.example:443", "vpn.example"],
    ["vpn.example", "vpn.example:80"],
    ["127.0.0.1:8080", "127.0.0.1:8080"],
    ["[::1]:8080", "[0:0::1]:8080"],
  ])("knows the server %s as %s", (server, publicHost) => {
    expect(checkAuthorization(withTags("server", [server]), { ...offer, publicHost })).toBe(day);
  });

  it("tells what to write instead", () => {
    const { message } = refusalOf(() => checkAuthorization(withTags("price", ["1", "sat", "day"]), offer));
    expect(message).toContain("1000 sat/day, 5000 sat/week");
  });

  it("throws nothing but a Refusal", () => {
    const name = fc.constantFrom("t", "expiration", "server", "a", "price");
    const value = fc.oneof(fc.string(), fc.constantFrom("vpn.example", String(NOW + 1), coordinate));
    const tag = fc.tuple(name, fc.array(value)).map(([first, rest]) => [first, ...rest]);
    fc.assert(
      fc.property(fc.array(tag), (tags) => {
        refusalOf(() => checkAuthorization({ ...sign0, tags }, offer));
      }),
    );
  });
});

const sign0 = sign(template());
