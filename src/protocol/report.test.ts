import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NostrEvent } from "./event.ts";
import { aggregateReports, parseReport, type Report } from "./report.ts";

const OPERATOR = "ab".repeat(32);
const OTHER = "cd".repeat(32);
const ALICE = "a1".repeat(32);
const BOB = "b0".repeat(32);
const EVENT_ID = "ef".repeat(32);

const event = (tags: string[][], fields: Partial<NostrEvent> = {}): NostrEvent => ({
  id: "00".repeat(32),
  sig: "00".repeat(64),
  kind: 1984,
  pubkey: ALICE,
  created_at: 100,
  content: "took my sats",
  tags,
  ...fields,
});
const mark = ["t", "europa-protocol"];

describe("parseReport", () => {
  it("reads operators with their types, and events", () => {
    const tags = [mark, ["p", OPERATOR, "spam"], ["p", OTHER], ["p", "nobody"], ["e", EVENT_ID, "spam"]];
    expect(parseReport(event(tags))).toEqual({
      ok: true,
      report: {
        reporter: ALICE,
        createdAt: 100,
        content: "took my sats",
        operators: [{ pubkey: OPERATOR, type: "spam" }, { pubkey: OTHER }],
        eventIds: [EVENT_ID],
      },
    });
  });

  it("takes a type that NIP-56 does not know as missing", () => {
    const parsed = parseReport(
      event([
        ["t", "vpn-marketplace"],
        ["p", OPERATOR, "rude"],
      ]),
    );
    expect(parsed).toMatchObject({ ok: true, report: { operators: [{ pubkey: OPERATOR }] } });
    expect(parsed).not.toHaveProperty("report.operators.0.type");
  });

  it.each([
    ["wrong-kind", event([mark, ["p", OPERATOR]], { kind: 1985 })],
    [
      "not-europa-protocol",
      event([
        ["t", "wireguard"],
        ["p", OPERATOR],
      ]),
    ],
    ["no-target", event([mark])],
    ["no-target", event([mark, ["p", "nobody"], ["e"]])],
  ])("gives the reason %s", (reason, foreign) => {
    expect(parseReport(foreign)).toEqual({ ok: false, reason });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.anything(), (garbage) => {
        expect(parseReport(garbage as NostrEvent)).toEqual({ ok: false, reason: "wrong-kind" });
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(fc.string())), (tags) => {
        expect(parseReport(event([mark, ...tags]))).toHaveProperty("ok");
      }),
    );
  });
});

describe("aggregateReports", () => {
  const report = (reporter: string, ...operators: Report["operators"]): Report => ({
    reporter,
    createdAt: 100,
    content: "",
    operators,
    eventIds: [],
  });

  it("counts a reporter once per operator and type, a missing type as other", () => {
    const counts = aggregateReports([
      report(ALICE, { pubkey: OPERATOR, type: "spam" }),
      report(ALICE, { pubkey: OPERATOR, type: "spam" }, { pubkey: OPERATOR, type: "malware" }),
      report(BOB, { pubkey: OPERATOR, type: "spam" }, { pubkey: OTHER }),
      report(BOB, { pubkey: OTHER, type: "other" }),
    ]);
    expect(counts).toEqual(
      new Map([
        [
          OPERATOR,
          new Map([
            ["spam", 2],
            ["malware", 1],
          ]),
        ],
        [OTHER, new Map([["other", 1]])],
      ]),
    );
  });
});
