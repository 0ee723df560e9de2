import { expect, it } from "vitest";
import { pulseWords, saleWords, troubleWords } from "./note-words.ts";
import type { Trouble } from "./trouble-board.ts";

const SINCE = Date.UTC(2027, 0, 15, 8, 30) / 1000;
const trouble: Trouble = {
  name: "interface",
  words: "no WireGuard interface wg0; bring it up: wg-quick up wg0",
  event: "wireguard-trouble",
  since: SINCE,
};

it("tells of a trouble what it is, how to mend it, since when, and where to look", () => {
  expect(troubleWords({ kind: "trouble", trouble })).toBe(
    "Trouble: interface\nno WireGuard interface wg0; bring it up: wg-quick up wg0\n" +
      "Since 2027-01-15 08:30 UTC. In the log: wireguard-trouble.",
  );
});

it.each([
  [45, "45 seconds"],
  [720, "12 minutes"],
  [5 * 3_600, "5 hours"],
  [4 * 86_400, "4 days"],
])("tells how long it lasted: %i s", (seconds, words) => {
  expect(troubleWords({ kind: "well", former: trouble, at: SINCE + seconds })).toBe(
    `Well again: interface, after ${words}.`,
  );
});

it("tells of what came and went how it stands", () => {
  const unsteady = { kind: "unsteady", name: "interface", changes: 7 } as const;
  expect(troubleWords({ ...unsteady, now: undefined })).toMatch(
    /^Unsteady: interface changed 7 times.*Now it is well\.$/,
  );
  expect(troubleWords({ ...unsteady, now: trouble })).toMatch(
    /Now it is in trouble: interface\nno WireGuard/,
  );
});

it("tells of a sale the amount, the tier and the method", () => {
  const sold = { amountSat: 300, tier: "100 sat/day", method: "cashu" } as const;
  expect(saleWords({ kind: "sale", sold })).toBe("Sold: 300 sat, 100 sat/day, cashu.");
  const hours = { amountSat: 10, tier: "10 sat/hour", method: "lightning", count: 1 } as const;
  expect(saleWords({ kind: "sales", groups: [{ ...sold, count: 3 }, hours] })).toBe(
    "Sold in ten minutes: 4 sales, 310 sat.\n- 100 sat/day, cashu: 3 sales, 300 sat\n- 10 sat/hour, lightning: 1 sale, 10 sat",
  );
});

it("stays short, whatever there is to tell", () => {
  const groups = Array.from({ length: 500 }, (_, n) => ({
    amountSat: 1,
    tier: `${n} sat/day`,
    method: "cashu" as const,
    count: 1,
  }));
  expect(saleWords({ kind: "sales", groups }).split("\n").slice(-1)).toEqual(["- and 480 more"]);
  expect(
    troubleWords({ kind: "trouble", trouble: { ...trouble, words: "x".repeat(100_000) } }).length,
  ).toBeLessThan(1_000);
});

it("gives a sign of life in a few lines", () => {
  const summary = {
    sales: [{ method: "cashu", count: 12, amountSat: 1200 }],
    balances: [{ mintUrl: "https://mint.example", amountSat: 900 }],
  };
  const pool = { live: 7, free: 246 };
  expect(pulseWords({ summary, since: SINCE, pool, troubles: [] })).toBe(
    [
      "All is well.",
      "Sales since 2027-01-15 08:30 UTC:",
      "- cashu: 12 sales, 1200 sat",
      "Live sessions: 7; free addresses: 246.",
      "Ecash that came in and is not known as spent:",
      "- https://mint.example: 900 sat",
    ].join("\n"),
  );
  const nothing = { sales: [], balances: [] };
  expect(pulseWords({ summary: nothing, since: SINCE, pool, troubles: [trouble] })).toBe(
    [
      "In trouble: interface.",
      "Sales since 2027-01-15 08:30 UTC: none.",
      "Live sessions: 7; free addresses: 246.",
      "Ecash that came in and is not known as spent: none.",
    ].join("\n"),
  );
});
