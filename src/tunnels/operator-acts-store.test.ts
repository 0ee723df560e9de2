import { afterEach, beforeEach, expect, it } from "vitest";
import { newKey, openSessionBook, type SessionBook } from "../testing/session-book.ts";
import { createOperatorActsStore, type OperatorActsStore } from "./operator-acts-store.ts";

const HOUR = 3600;
const GIB = 2 ** 30;
const NOW = 1_800_000_000;

let open: SessionBook;
let acts: OperatorActsStore;
beforeEach(async () => {
  open = await openSessionBook();
  acts = createOperatorActsStore(open.book, open.store);
});
afterEach(() => open.close());

const extend = (id: string, seconds: number, bytes: number, at = NOW) =>
  acts.extend(id, { seconds, bytes }, at);

it("an extension adds time or data, as a purchase would, and is written down", () => {
  const id = open.granted(newKey(), { seconds: HOUR, bytes: 0 }, NOW);
  expect(extend(id, 5 * HOUR, 0, NOW + 60)).toBe(true);
  expect(extend(id, 0, 2 * GIB, NOW + 61)).toBe(true);
  expect(open.store.find(id)?.terms).toMatchObject({
    timeUntil: NOW + 6 * HOUR,
    quotaBytes: 2 * GIB,
    usedBytes: 0,
  });
  expect(acts.ofSession(id)).toEqual([
    { act: "extended", doneAt: NOW + 60, reason: null, seconds: 5 * HOUR, bytes: 0 },
    { act: "extended", doneAt: NOW + 61, reason: null, seconds: 0, bytes: 2 * GIB },
  ]);
});

it("an extension is as fast as the session is at that moment", () => {
  const id = open.granted(newKey(), { seconds: HOUR, bytes: 0, rateMbit: 10 }, NOW);
  open.store.grant(id, { seconds: HOUR, bytes: 0, rateMbit: 50 }, NOW);
  extend(id, HOUR, 0);
  extend(id, HOUR, 0, NOW + 2 * HOUR);
  expect(open.store.find(id)?.terms.timeRates).toEqual([{ until: NOW + 4 * HOUR, rateMbit: 10 }]);
  const usual = open.granted(newKey(), { seconds: HOUR, bytes: 0 }, NOW);
  extend(usual, HOUR, 0);
  expect(open.store.find(usual)?.terms.timeRates).toEqual([]);
});

it("of nothing changes nothing, and what runs without an end gets none by it", () => {
  const id = open.granted(newKey(), { seconds: HOUR, bytes: 0 }, NOW);
  open.book.exec("UPDATE sessions SET expires_at = NULL; UPDATE session_terms SET time_until = NULL");
  expect(extend(id, HOUR, 0)).toBe(false);
  expect(open.store.find(id)).toMatchObject({ expiresAt: null, terms: { timeUntil: null } });
  expect(acts.ofSession(id)).toEqual([]);
});

it("reaches no session that is over, has not begun, or is not there", () => {
  const over = open.granted(newKey(), { seconds: HOUR, bytes: 0 }, NOW);
  open.store.endDue(NOW + HOUR);
  const price = { amount: 1, currency: "sat", unit: "hour" } as const;
  const pending = open.store.reserve(newKey(), { price, method: "cashu", dTag: "d" }, NOW) ?? "none";
  for (const id of [over, pending, "none"]) {
    expect(extend(id, HOUR, 0, NOW + HOUR)).toBe(false);
    expect(acts.revoke(id, "why", NOW + HOUR, () => expect.unreachable())).toBe(false);
    expect(acts.ofSession(id)).toEqual([]);
  }
  expect(open.store.find(over)?.status).toBe("expired");
});

it("a revocation, its reason, and what else it lets go of are written together or not at all", () => {
  const id = open.granted(newKey(), { seconds: HOUR, bytes: 0 }, NOW);
  const fail = () => {
    throw new Error("full disk");
  };
  expect(() => acts.revoke(id, "why", NOW, fail)).toThrow("full disk");
  expect([open.store.find(id)?.status, acts.ofSession(id)]).toEqual(["active", []]);
  expect(acts.revoke(id, "spam, 3 reports", NOW + 1, () => {})).toBe(true);
  expect(open.store.find(id)).toMatchObject({ status: "revoked", endedAt: NOW + 1 });
  expect(acts.ofSession(id)).toMatchObject([{ act: "revoked", doneAt: NOW + 1, reason: "spam, 3 reports" }]);
});
