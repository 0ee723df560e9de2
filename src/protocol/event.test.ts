import fc from "fast-check";
import { finalizeEvent, generateSecretKey } from "nostr-tools/pure";
import { describe, expect, it } from "vitest";
import { firstTag, firstValue, isAuthentic, isNostrEvent, tagsNamed, tagValues } from "./event.ts";

const signed = () =>
  finalizeEvent(
    { kind: 1, created_at: 1_700_000_000, tags: [["t", "a"]], content: "x" },
    generateSecretKey(),
  );

describe("tags", () => {
  const event = { tags: [[], ["t"], ["t", ""], ["t", "a", "b"], ["p", "c"], ["t", "d"]] };

  it("are found by name", () => {
    expect(tagsNamed(event, "t")).toEqual([["t"], ["t", ""], ["t", "a", "b"], ["t", "d"]]);
    expect(tagValues(event, "t")).toEqual(["a", "d"]);
    expect(firstTag(event, "p")).toEqual(["p", "c"]);
    expect(firstTag(event, "x")).toBeUndefined();
  });

  it("give the first tag's value only", () => {
    expect(firstValue(event, "p")).toBe("c");
    expect(firstValue(event, "t")).toBeUndefined();
  });
});

describe("isNostrEvent", () => {
  it("knows the shape of NIP-01", () => {
    expect(isNostrEvent(signed())).toBe(true);
  });

  it.each([
    ["kind", -1],
    ["kind", 1.5],
    ["created_at", "1700000000"],
    ["created_at", Number.POSITIVE_INFINITY],
    ["content", null],
    ["pubkey", "A".repeat(64)],
    ["pubkey", "ab"],
    ["id", 7],
    ["id", "g".repeat(64)],
    ["sig", "ab"],
    ["tags", {}],
    ["tags", ["t"]],
    ["tags", [["t", 1]]],
  ])("refuses a wrong %s: %j", (field, value) => {
    expect(isNostrEvent({ ...signed(), [field]: value })).toBe(false);
  });

  it("refuses anything else", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(isNostrEvent(value)).toBe(false);
      }),
    );
  });
});

describe("isAuthentic", () => {
  it("takes a signed event", () => {
    expect(isAuthentic(signed())).toBe(true);
  });

  it("finds a changed field, id or signature although the object carries a cached verdict", () => {
    const other = signed();
    expect(isAuthentic({ ...signed(), content: "y" })).toBe(false);
    expect(isAuthentic({ ...signed(), id: other.id })).toBe(false);
    expect(isAuthentic({ ...signed(), sig: other.sig })).toBe(false);
    expect(isAuthentic({ ...signed(), pubkey: other.pubkey })).toBe(false);
  });
});
