import { afterEach, beforeEach, expect, it } from "vitest";
import { newKey, openSessionBook, type SessionBook } from "../testing/session-book.ts";
import { createSessionLookupStore, type SessionLookupStore } from "./session-lookup-store.ts";

const NOW = 1_800_000_000;
const hours = (count: number) => ({ seconds: count * 3600, bytes: 0 });

let open: SessionBook;
let lookup: SessionLookupStore;
beforeEach(async () => {
  open = await openSessionBook();
  lookup = createSessionLookupStore(open.book);
});
afterEach(() => open.close());

const idOf = (which: string) => {
  const found = lookup.find(which);
  return found.kind === "one" ? found.session.sessionId : found.kind;
};

it("finds one by its id, by enough of it, and by the address that it has now", () => {
  const ids = Array.from({ length: 20 }, () => open.granted(newKey(), hours(1), NOW));
  for (const id of ids) {
    expect([idOf(id), idOf(id.slice(0, 13))]).toEqual([id, id]);
    expect(idOf(open.store.find(id)?.address ?? "")).toBe(id);
  }
  expect([idOf("no-such-id"), idOf("10.66.42.200")]).toEqual(["none", "none"]);
  open.store.endDue(NOW + 3600);
  expect([idOf("10.66.42.2"), idOf(ids[0] ?? "")]).toEqual(["none", ids[0]]);
});

it("nothing at all names none, also where there is only one", () => {
  open.granted(newKey(), hours(1), NOW);
  expect(idOf("")).toBe("none");
});

it("an older daemon's id that is the beginning of another one is still that one", () => {
  const id = open.granted(newKey(), hours(1), NOW);
  const other = open.granted(newKey(), hours(1), NOW);
  open.book.pragma("foreign_keys = OFF");
  for (const table of ["sessions", "session_terms"]) {
    open.book.prepare(`UPDATE ${table} SET session_id = 'old' WHERE session_id = ?`).run(id);
    open.book.prepare(`UPDATE ${table} SET session_id = 'old-2' WHERE session_id = ?`).run(other);
  }
  expect([idOf("old"), idOf("old-"), idOf("ol")]).toEqual(["old", "old-2", "several"]);
});

it("lists what runs by its end, and everything newest first, bounded", () => {
  const ids = [3, 1, 2].map((count) => open.granted(newKey(), hours(count), NOW));
  expect(lookup.running().map(({ sessionId }) => sessionId)).toEqual([ids[1], ids[2], ids[0]]);
  open.store.endDue(NOW + 3600);
  expect(lookup.running()).toHaveLength(2);
  expect(lookup.newest(2).map(({ sessionId }) => sessionId)).toEqual([ids[2], ids[1]]);
  expect(lookup.count()).toBe(3);
});
