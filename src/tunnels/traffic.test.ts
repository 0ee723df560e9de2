import { expect, it } from "vitest";
import { noTerms, type Terms } from "./terms.ts";
import { chargeOnce, growthOf } from "./traffic.ts";

const NOW = 1_800_000_000;
const session = (sessionId: string, terms: Partial<Terms>, expiresAt: number | null) => ({
  sessionId,
  expiresAt,
  terms: { ...noTerms, ...terms },
});
const used = (sessions: { sessionId: string; terms: Terms }[]) =>
  Object.fromEntries(sessions.map(({ sessionId, terms }) => [sessionId, terms.usedBytes]));

it("counts up and down, and a counter that began anew from zero", () => {
  const counted = { lastReceivedBytes: 100, lastSentBytes: 1000 };
  const seen = (receivedBytes: number, sentBytes: number) => ({ publicKey: "k", receivedBytes, sentBytes });
  expect(growthOf(counted, seen(150, 1007))).toBe(57);
  expect(growthOf(counted, seen(40, 30))).toBe(70);
  expect(growthOf(counted, seen(100, 1000))).toBe(0);
});

it("charges traffic of a shared peer once, first what ends first", () => {
  const endless = session("endless", { quotaBytes: 1000 }, null);
  const soon = session("soon", { quotaBytes: 100, usedBytes: 40, dataUntil: NOW + 5 }, NOW + 5);
  expect(used(chargeOnce([endless, soon], 50, NOW))).toEqual({ soon: 90 });
  expect(used(chargeOnce([endless, soon], 200, NOW))).toEqual({ soon: 100, endless: 140 });
  expect(used(chargeOnce([endless, soon], 5000, NOW))).toEqual({ soon: 100, endless: 4940 });
});

it("charges nothing while any session of the key has time, or no limits", () => {
  const data = session("data", { quotaBytes: 1000 }, null);
  expect(chargeOnce([data, session("time", { timeUntil: NOW + 1 }, NOW + 1)], 50, NOW)).toEqual([]);
  expect(chargeOnce([data, session("old", {}, null)], 50, NOW)).toEqual([]);
  expect(used(chargeOnce([data, session("time", { timeUntil: NOW }, NOW)], 50, NOW))).toEqual({ data: 50 });
  expect(chargeOnce([data], 0, NOW)).toEqual([]);
});
