import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listingCoordinate } from "./listing.ts";
import type { Price, Unit } from "./price.ts";
import {
  buildPurchaseComment,
  type CommentOffer,
  checkPurchaseComment,
  type PurchaseComment,
  type PurchaseOrder,
  parsePurchaseComment,
} from "./purchase-comment.ts";

const day: Price = { amount: 1000, currency: "sat", unit: "day" };
const week: Price = { amount: 5000, currency: "sat", unit: "week" };
const coordinate = listingCoordinate("ab".repeat(32), "vpn");
const clientKey = Buffer.alloc(32, 7).toString("base64");
const serverKey = Buffer.alloc(32, 9).toString("base64");
const offer: CommentOffer = {
  coordinate,
  prices: [day, week],
  defaultPrice: week,
  protocols: ["wireguard"],
  serverKey,
};
const order: PurchaseOrder = {
  listing: coordinate,
  price: day,
  protocol: "wireguard",
  clientPubkey: clientKey,
};

/** The good JSON with fields changed; `undefined` takes one out. */
const json = (fields: { [name: string]: unknown } = {}) =>
  JSON.stringify({ ...JSON.parse(buildPurchaseComment(order)), ...fields });
const parsed = (text: string): PurchaseComment => {
  const result = parsePurchaseComment(text);
  if (!result.ok) throw new Error(result.reason);
  return result.comment;
};

describe("parsePurchaseComment", () => {
  it("reads back every order that was built", () => {
    const unit = fc.constantFrom<Unit>("hour", "day", "week", "month", "GiB", "TiB");
    const word = fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" });
    const orders = fc.record(
      {
        listing: word.map((d) => listingCoordinate("ab".repeat(32), d)),
        price: fc.record({ amount: fc.integer({ min: 1, max: 10 ** 9 }), currency: word, unit }),
        protocol: fc.constantFrom("wireguard", "openvpn"),
        clientPubkey: fc
          .uint8Array({ minLength: 32, maxLength: 32 })
          .map((bytes) => Buffer.from(bytes).toString("base64")),
        cipher: fc.constantFrom("aes-256-cbc" as const, "aes-256-gcm" as const),
      },
      { requiredKeys: ["listing", "price", "protocol", "clientPubkey"] },
    );
    fc.assert(
      fc.property(orders, (built) => {
        const text = buildPurchaseComment(built);
        fc.pre(text.length <= 1024);
        expect(parsePurchaseComment(text)).toEqual({ ok: true, comment: { form: "order", ...built } });
      }),
    );
  });

  it("writes the fields of the wire", () => {
    expect(JSON.parse(buildPurchaseComment({ ...order, cipher: "aes-256-gcm" }))).toEqual({
      version: "vpn-marketplace/1",
      listing: coordinate,
      price: ["price", "1000", "sat", "day"],
      protocol: "wireguard",
      client_pubkey: clientKey,
      cipher: "aes-256-gcm",
    });
  });

  it("takes a bare key, as a phone's keyboard may send it", () => {
    expect(parsed(` ${clientKey}\n`)).toEqual({ form: "key", clientPubkey: clientKey });
  });

  it.each([
    ["no-client-pubkey", undefined],
    ["no-client-pubkey", "  "],
    ["bad-request", "thanks!"],
    ["bad-request", "[]"],
    ["bad-request", "null"],
    ["bad-request", clientKey.slice(1)],
    ["bad-request", json({ note: "x".repeat(1024) })],
    ["version-mismatch", "{}"],
    ["version-mismatch", json({ version: "vpn-marketplace/2" })],
    ["no-listing", json({ listing: undefined })],
    ["no-listing", json({ listing: 7 })],
    ["bad-price", json({ price: undefined })],
    ["bad-price", json({ price: ["price", 1000, "sat", "day"] })],
    ["bad-price", json({ price: ["price", "1000", "sat", "fortnight"] })],
    ["bad-price", json({ price: "1000 sat/day" })],
    ["no-protocol", json({ protocol: undefined })],
    ["no-client-pubkey", json({ client_pubkey: undefined })],
    ["no-client-pubkey", json({ client_pubkey: "" })],
    ["bad-request", json({ client_pubkey: 7 })],
    ["bad-request", json({ cipher: "rot13" })],
  ])("gives the reason %s: %#", (reason, text) => {
    expect(parsePurchaseComment(text)).toMatchObject({ ok: false, reason });
  });

  it("takes a key whose + a wallet did not encode", () => {
    const key = `${"ab+/".repeat(10)}abA=`;
    const sent = key.replaceAll("+", " ");
    expect(parsed(sent)).toEqual({ form: "key", clientPubkey: key });
    expect(parsed(json({ client_pubkey: sent }))).toMatchObject({ clientPubkey: key });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parsePurchaseComment(text)).toHaveProperty("ok");
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (price, cipher) => {
        expect(parsePurchaseComment(json({ price, cipher }))).toHaveProperty("ok");
        expect(parsePurchaseComment(JSON.stringify(price))).toHaveProperty("ok", false);
      }),
    );
  });
});

describe("checkPurchaseComment", () => {
  it("gives tier and key of an order", () => {
    expect(checkPurchaseComment(parsed(json()), offer)).toEqual({
      ok: true,
      price: day,
      clientPubkey: clientKey,
    });
  });

  it("sells a bare key the tier that p names", () => {
    expect(checkPurchaseComment(parsed(clientKey), offer)).toEqual({
      ok: true,
      price: week,
      clientPubkey: clientKey,
    });
  });

  it.each([
    ["unknown-listing", json({ listing: `${coordinate}x` })],
    ["price-mismatch", json({ price: ["price", "1", "sat", "day"] })],
    ["unsupported-protocol", json({ protocol: "openvpn" })],
    ["bad-request", json({ client_pubkey: "mine" })],
    ["bad-request", json({ client_pubkey: serverKey })],
    ["bad-request", json({ client_pubkey: Buffer.alloc(32).toString("base64") })],
    ["bad-request", serverKey],
  ])("gives the reason %s: %#", (reason, text) => {
    expect(checkPurchaseComment(parsed(text), offer)).toMatchObject({ ok: false, reason });
  });
});
