import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { aggregateEndorsements, type Endorsement, parseEndorsement } from "./endorsement.ts";
import { type AuthoredEvent, isAuthentic, type NostrEvent } from "./event.ts";
import { decodeGeohash, type GeohashCell, geohashLadder, mostSpecificGeohashes } from "./geohash.ts";
import { buildListing, isStale, type Listing, parseListing } from "./listing.ts";
import { normaliseMintUrl } from "./mint-url.ts";
import { type Bought, bought, checkBounds, type Price, payableRange, type Quantity } from "./price.ts";
import {
  type AuthorizedOffer,
  buildAuthorization,
  checkAuthorization,
  encodeAuthorization,
  readAuthorization,
} from "./purchase-auth.ts";
import {
  buildPurchaseComment,
  type CommentOffer,
  checkPurchaseComment,
  type PurchaseOrder,
  parsePurchaseComment,
} from "./purchase-comment.ts";
import { Refusal } from "./refusal.ts";
import { aggregateReports, parseReport, type Report } from "./report.ts";
import { checkClientKey } from "./wireguard-key.ts";

/** The files that docs/spec.md gives to other implementations. */
function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../docs/vectors/${name}.json`, import.meta.url), "utf8")) as T;
}

interface Named {
  name: string;
}

function refusalOf(check: () => unknown): Refusal | undefined {
  try {
    check();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return undefined;
}

describe("listing", () => {
  const { signed, coordinate, build, parse, flawed, stale } = vectors<{
    signed: NostrEvent;
    coordinate: string;
    build: (Named & { listing: Listing; tags: string[][]; parsed?: Listing })[];
    parse: (Named & { event: AuthoredEvent; listing: Listing; coordinate: string })[];
    flawed: (Named & { event: AuthoredEvent; reason: string })[];
    stale: (Named & { status: string; ageSeconds: number; stale: boolean })[];
  }>("listing");

  it.each(build)("build: $name", ({ listing, tags, parsed = listing }) => {
    const built = buildListing(listing);
    expect(built).toEqual({ kind: 30402, content: listing.content, tags });
    const event = { ...built, pubkey: signed.pubkey, created_at: signed.created_at };
    expect(parseListing(event)).toMatchObject({ ok: true });
    expect(parseListing(event)).toHaveProperty("listing", parsed);
  });

  it("signed: is authentic and the first of build", () => {
    expect(isAuthentic(signed)).toBe(true);
    expect(isAuthentic({ ...signed, content: `${signed.content}.` })).toBe(false);
    expect(signed.tags).toEqual(build[0]?.tags);
    expect(parseListing(signed)).toEqual({
      ok: true,
      listing: build[0]?.listing,
      pubkey: signed.pubkey,
      createdAt: signed.created_at,
      coordinate,
    });
  });

  it.each(parse)("parse: $name", ({ event, listing, coordinate }) => {
    const { pubkey, created_at: createdAt } = event;
    expect(parseListing(event)).toEqual({ ok: true, listing, pubkey, createdAt, coordinate });
  });

  it.each(flawed)("flawed: $name", ({ event, reason }) => {
    expect(parseListing(event)).toEqual({ ok: false, reason });
  });

  it.each(stale)("stale: $name", ({ status, ageSeconds, stale }) => {
    const event = { ...signed, tags: [["status", status]] };
    expect(isStale(event, signed.created_at + ageSeconds)).toBe(stale);
  });
});

describe("authorization", () => {
  const { buyerPubkey, offer, build, accepted, refused } = vectors<{
    buyerPubkey: string;
    offer: AuthorizedOffer;
    build: { price: Price; expiresInSeconds: number; tags: string[][] };
    accepted: (Named & { header: string; tier: Price })[];
    refused: (Named & { header: string | null; reason: string })[];
  }>("authorization");

  it("build: is what a client signs", () => {
    const { now, publicHost, coordinate } = offer;
    const { price, expiresInSeconds, tags } = build;
    const built = buildAuthorization({ now, publicHost, coordinate, price });
    expect(built).toMatchObject({ kind: 24242, created_at: now, tags });
    expect(buildAuthorization({ now, publicHost, coordinate, price, expiresInSeconds })).toEqual(built);
  });

  it.each(accepted)("accepted: $name", ({ header, tier }) => {
    const event = readAuthorization(header);
    expect(event.pubkey).toBe(buyerPubkey);
    expect(readAuthorization(encodeAuthorization(event))).toEqual(event);
    expect(checkAuthorization(event, offer)).toEqual(tier);
  });

  it.each(refused)("refused: $name", ({ header, reason }) => {
    const refusal = refusalOf(() => checkAuthorization(readAuthorization(header ?? undefined), offer));
    expect(refusal?.reason).toBe(reason);
    if (reason === "bad-request") expect(refusal?.inAuthorization).toBe(true);
  });
});

describe("amounts", () => {
  interface Bounds {
    min: Quantity | null;
    max: Quantity | null;
  }
  const amounts = vectors<{
    bought: { paid: number; price: Price; bought: Bought }[];
    bounds: (Named & Bounds & { bought: Bought; verdict: string | null })[];
    payable: (Named & Bounds & { price: Price; minAmount: number; maxAmount: number })[];
  }>("amounts");

  it.each(amounts.bought)("$paid of $price.amount $price.currency/$price.unit", (vector) => {
    expect(bought(vector.paid, vector.price)).toEqual(vector.bought);
  });

  it.each(amounts.bounds)("bounds: $name", ({ bought, min, max, verdict }) => {
    expect(checkBounds(bought, min ?? undefined, max ?? undefined) ?? null).toBe(verdict);
  });

  it.each(amounts.payable)("payable: $name", ({ price, min, max, minAmount, maxAmount }) => {
    expect(payableRange(price, min ?? undefined, max ?? undefined)).toEqual({ minAmount, maxAmount });
  });
});

describe("geohash", () => {
  const { ladder, decode, mostSpecific } = vectors<{
    ladder: { geohash: string; ladder: string[] }[];
    decode: { geohash: string; cell: GeohashCell | null }[];
    mostSpecific: { geohashes: string[]; tips: string[] }[];
  }>("geohash");

  it.each(ladder)("ladder of $geohash", (vector) => {
    expect(geohashLadder(vector.geohash)).toEqual(vector.ladder);
  });

  it.each(decode)("cell of $geohash", ({ geohash, cell }) => {
    expect(decodeGeohash(geohash)).toEqual(cell);
  });

  it.each(mostSpecific)("tips of $geohashes", ({ geohashes, tips }) => {
    expect(mostSpecificGeohashes(geohashes)).toEqual(tips);
  });
});

describe("mint URL", () => {
  const { cases } = vectors<{ cases: { url: string; normalised: string | null }[] }>("mint-url");

  it.each(cases)("$url", ({ url, normalised }) => {
    expect(normaliseMintUrl(url) ?? null).toBe(normalised);
    if (normalised !== null) expect(normaliseMintUrl(normalised)).toBe(normalised);
  });
});

describe("WireGuard key", () => {
  const { serverKey, cases } = vectors<{
    serverKey: string;
    cases: (Named & { value?: unknown; reason: string | null })[];
  }>("wireguard-keys");

  it.each(cases)("$name", ({ value, reason }) => {
    expect(refusalOf(() => checkClientKey(value, serverKey))?.reason ?? null).toBe(reason);
  });
});

describe("purchase comment", () => {
  const { offer, built, accepted, refused } = vectors<{
    offer: CommentOffer;
    built: { order: PurchaseOrder; text: string };
    accepted: (Named & { text: string; price: Price; clientPubkey: string; cipher?: string })[];
    refused: (Named & { text: string; reason: string })[];
  }>("purchase-comment");

  function sell(text: string) {
    const parsed = parsePurchaseComment(text);
    return parsed.ok ? checkPurchaseComment(parsed.comment, offer) : parsed;
  }

  it("is built as a client sends it", () => {
    expect(buildPurchaseComment(built.order)).toBe(built.text);
  });

  it.each(accepted)("accepted: $name", ({ text, price, clientPubkey, cipher }) => {
    expect(sell(text)).toEqual({ ok: true, price, clientPubkey });
    const parsed = parsePurchaseComment(text);
    const named = parsed.ok && "cipher" in parsed.comment ? parsed.comment.cipher : undefined;
    expect(named).toBe(cipher);
  });

  it.each(refused)("refused: $name", ({ text, reason }) => {
    expect(sell(text)).toMatchObject({ ok: false, reason });
  });
});

describe("endorsements", () => {
  const { parse, aggregate } = vectors<{
    parse: (Named & { event: NostrEvent; endorsement?: Endorsement; reason?: string })[];
    aggregate: (Named & { events: NostrEvent[]; endorsers: { [listing: string]: string[] } })[];
  }>("endorsements");

  it.each(parse)("parse: $name", ({ event, endorsement, reason }) => {
    expect(parseEndorsement(event)).toEqual(endorsement ? { ok: true, endorsement } : { ok: false, reason });
  });

  it.each(aggregate)("aggregate: $name", ({ events, endorsers }) => {
    for (const order of [events, events.toReversed()]) {
      const found = [...aggregateEndorsements(order)].map(([listing, who]) => [listing, [...who].sort()]);
      expect(Object.fromEntries(found)).toEqual(endorsers);
    }
  });
});

describe("reports", () => {
  const { parse, aggregate } = vectors<{
    parse: (Named & { event: NostrEvent; report?: Report; reason?: string })[];
    aggregate: (Named & { events: NostrEvent[]; counts: { [pubkey: string]: { [type: string]: number } } })[];
  }>("reports");

  it.each(parse)("parse: $name", ({ event, report, reason }) => {
    expect(parseReport(event)).toEqual(report ? { ok: true, report } : { ok: false, reason });
  });

  it.each(aggregate)("aggregate: $name", ({ events, counts }) => {
    const reports = events.flatMap((event) => {
      const parsed = parseReport(event);
      return parsed.ok ? [parsed.report] : [];
    });
    expect(reports).toHaveLength(events.length);
    const found = [...aggregateReports(reports)].map(([who, types]) => [who, Object.fromEntries(types)]);
    expect(Object.fromEntries(found)).toEqual(counts);
  });
});
