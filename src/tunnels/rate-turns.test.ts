import { afterEach, beforeEach, expect, it } from "vitest";
import { HOLD_SECONDS, newKey, openSessionBook, type SessionBook } from "../testing/session-book.ts";
import { createSessionStore, type SessionStore } from "./session-store.ts";

const NOW = 1_800_000_000;
const HOUR = 3600;
const hour = (rateMbit?: number) => ({ seconds: HOUR, bytes: 0, rateMbit });
const data = (bytes: number, rateMbit?: number) => ({ seconds: 0, bytes, rateMbit });

let open: SessionBook;
let store: SessionStore;
let key: string;
beforeEach(async () => {
  open = await openSessionBook();
  store = createSessionStore(open.book, open.pool, HOLD_SECONDS, 20);
  key = newKey();
});
afterEach(() => open.close());

function session(...bought: { seconds: number; bytes: number }[]): string {
  const [first = hour(), ...others] = bought;
  const id = open.granted(key, first, NOW);
  for (const each of others) store.grant(id, each, NOW);
  store.limits(NOW * 1000);
  return id;
}

const use = (bytes: number, now: number) =>
  store.count(
    {
      peers: new Map([[key, { publicKey: key, receivedBytes: bytes, sentBytes: 0 }]]),
      kernelCounts: new Map(),
    },
    NOW + HOUR,
    now,
  );

it("time turns when its span is over, once, and to the next after it", () => {
  const id = session(hour(10), hour(50), hour());
  expect(store.takeTurned(NOW + HOUR - 1)).toEqual([]);
  expect(store.takeTurned(NOW + HOUR)).toEqual([id]);
  expect(store.takeTurned(NOW + HOUR)).toEqual([]);
  expect(store.limit(id, (NOW + HOUR) * 1000).rateMbit).toBe(20);
  expect(store.takeTurned(NOW + 2 * HOUR - 1)).toEqual([]);
  expect(store.takeTurned(NOW + 2 * HOUR)).toEqual([id]);
  expect(store.limit(id, (NOW + 2 * HOUR) * 1000).rateMbit).toBe(10);
  expect(store.takeTurned(NOW + 9 * HOUR)).toEqual([]);
});

it("data turns as it is used, after time that gave way to it", () => {
  const id = session(hour(10), data(1000, 50), data(1000, 5));
  expect(store.takeTurned(NOW + HOUR)).toEqual([id]);
  store.limit(id, (NOW + HOUR) * 1000);
  use(999, NOW + HOUR);
  expect(store.takeTurned(NOW + HOUR)).toEqual([]);
  use(1000, NOW + HOUR);
  expect(store.takeTurned(NOW + HOUR)).toEqual([id]);
  expect(store.limit(id, (NOW + HOUR) * 1000).rateMbit).toBe(5);
});

it("what is of one rate, by the default too, does not turn", () => {
  session(hour(20), hour(), data(1000, 20));
  expect(store.takeTurned(NOW + HOUR)).toEqual([]);
});

it("a session that was revoked or is over is set no limit any more", () => {
  const revoked = session(hour(10), hour(50));
  store.revoke(revoked, NOW + 1);
  expect(store.takeTurned(NOW + HOUR)).toEqual([]);
  store.limit(revoked, NOW * 1000);
  expect(store.takeTurned(NOW + HOUR)).toEqual([]);
});
