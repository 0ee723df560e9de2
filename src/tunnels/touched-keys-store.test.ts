import { afterEach, beforeEach, expect, it } from "vitest";
import { openBook } from "../db/open-book.ts";
import { firstPurchase, newKey, openSessionBook, type SessionBook } from "../testing/session-book.ts";

const NOW = 1_800_000_000;
const hour = { seconds: 3600, bytes: 0 };

const key = newKey();

let open: SessionBook;
beforeEach(async () => {
  open = await openSessionBook();
});
afterEach(() => open.close());

const touched = () => [...open.store.takeTouchedKeys()].sort();

it("a key is noted when its session comes, changes its state, and goes; once, however often", () => {
  const id = open.store.reserve(key, firstPurchase, NOW) ?? "";
  expect([touched(), touched()]).toEqual([[key], []]);
  open.store.unpin(id, NOW);
  expect(touched()).toEqual([key]);
  open.granted(key, hour, NOW);
  expect(touched()).toEqual([key]);
  open.store.endDue(NOW + 3600);
  expect(touched()).toEqual([key]);
  open.store.readBackAsGone([key]);
  expect(touched()).toEqual([key]);
});

it("both keys are noted when a session moves to another", () => {
  const id = open.granted(key, hour, NOW);
  const other = newKey();
  touched();
  open.book.prepare("UPDATE sessions SET client_identity = ? WHERE session_id = ?").run(other, id);
  expect(touched()).toEqual([key, other].sort());
});

it("what a session uses is no news", () => {
  open.granted(key, { seconds: 0, bytes: 1000 }, NOW);
  touched();
  const peers = new Map([[key, { publicKey: key, receivedBytes: 500, sentBytes: 0 }]]);
  open.store.count({ peers, kernelCounts: new Map() }, NOW, NOW);
  expect(touched()).toEqual([]);
});

it("tells when another process wrote, and only then", () => {
  open.granted(key, hour, NOW);
  expect(open.store.othersWrote()).toBe(false);
  const other = openBook(open.path);
  other.prepare("UPDATE sessions SET assigned_ip = '10.66.42.9'").run();
  other.close();
  expect([open.store.othersWrote(), open.store.othersWrote()]).toEqual([true, false]);
});
