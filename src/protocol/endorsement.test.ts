import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aggregateEndorsements, parseEndorsement } from "./endorsement.ts";
import type { NostrEvent } from "./event.ts";

const OPERATOR = "ab".repeat(32);
const ALICE = "a1".repeat(32);
const BOB = "b0".repeat(32);
const first = `30402:${OPERATOR}:one`;
const second = `30402:${OPERATOR}:two:with:colons`;

const set = (tags: string[][], event: Partial<NostrEvent> = {}): NostrEvent => ({
  id: "00".repeat(32),
  sig: "00".repeat(64),
  kind: 30267,
  pubkey: ALICE,
  created_at: 100,
  content: "",
  tags,
  ...event,
});
const endorsing = (listings: string[], event: Partial<NostrEvent> = {}, d = "set") =>
  set([["d", d], ...listings.map((listing) => ["a", listing])], event);
const plain = (counts: Map<string, Set<string>>) =>
  Object.fromEntries([...counts].map(([listing, endorsers]) => [listing, [...endorsers].sort()]));

describe("parseEndorsement", () => {
  it("keeps listings and lists the rest as unknown targets", () => {
    const foreign = [`32267:${OPERATOR}:app`, "30402:short:x", `30402:${OPERATOR}`, `30402:${OPERATOR}:`];
    const event = endorsing([first, ...foreign, second, first]);
    event.tags.push(["title", "Good ones"], ["description", "Tried"], ["image", "https://a.example/x.png"]);
    expect(parseEndorsement(event)).toEqual({
      ok: true,
      endorsement: {
        endorser: ALICE,
        dTag: "set",
        createdAt: 100,
        title: "Good ones",
        description: "Tried",
        image: "https://a.example/x.png",
        listings: [first, second],
        unknownTargets: foreign,
      },
    });
  });

  it.each([
    ["wrong-kind", endorsing([first], { kind: 30003 })],
    ["no-identifier", set([["a", first]])],
    ["no-marketplace-listings", endorsing([`32267:${OPERATOR}:app`])],
  ])("gives the reason %s", (reason, event) => {
    expect(parseEndorsement(event)).toEqual({ ok: false, reason });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.anything(), (garbage) => {
        expect(parseEndorsement(garbage as NostrEvent)).toEqual({ ok: false, reason: "wrong-kind" });
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(fc.string())), (tags) => {
        expect(parseEndorsement(set([["d", "x"], ...tags]))).toHaveProperty("ok");
        expect(aggregateEndorsements([set(tags)]).size).toBe(0);
      }),
    );
  });
});

describe("aggregateEndorsements", () => {
  it("counts each endorser once a listing", () => {
    const events = [
      endorsing([first, second]),
      endorsing([first], {}, "another set"),
      endorsing([first], { pubkey: BOB }),
    ];
    expect(plain(aggregateEndorsements(events))).toEqual({ [first]: [ALICE, BOB].sort(), [second]: [ALICE] });
  });

  it("believes the newest set alone, in whatever order they come", () => {
    const older = endorsing([first]);
    const newer = endorsing([second], { created_at: 101 });
    expect(plain(aggregateEndorsements([newer, older]))).toEqual({ [second]: [ALICE] });
    expect(plain(aggregateEndorsements([older, newer]))).toEqual({ [second]: [ALICE] });
  });

  it("takes a newest set without listings as a withdrawal", () => {
    expect(plain(aggregateEndorsements([endorsing([first]), endorsing([], { created_at: 101 })]))).toEqual(
      {},
    );
  });

  it("prefers the lower id within a second (NIP-01)", () => {
    const low = endorsing([first], { id: "01".repeat(32) });
    const high = endorsing([second], { id: "02".repeat(32) });
    expect(plain(aggregateEndorsements([high, low]))).toEqual({ [first]: [ALICE] });
    expect(plain(aggregateEndorsements([low, high]))).toEqual({ [first]: [ALICE] });
  });
});
