import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Book, openBook } from "../../db/open-book.ts";
import { makeTempDir, type TempDir } from "../temp-dir.ts";
import { readUnfinished } from "./book-reader.ts";

const NOTHING = { swapping: 0, paid: 0, owed: 0, invoices: 0, walletWaiting: 0, liveSessions: 0 };

let folder: TempDir;
let path: string;
let book: Book | undefined;

beforeEach(async () => {
  folder = await makeTempDir();
  path = join(folder.path, "sessions.db");
});

afterEach(async () => {
  book?.close();
  book = undefined;
  await folder.remove();
});

it("finds nothing where a daemon was killed before it made its book", () => {
  expect(readUnfinished(path)).toEqual(NOTHING);
  writeFileSync(path, "");
  expect(readUnfinished(path)).toEqual(NOTHING);
  book = openBook(path);
  expect(readUnfinished(path)).toEqual(NOTHING);
});

it("counts what waits for a relay: money, but not the account of it, and not what is sent nowhere any more", () => {
  book = openBook(path);
  const insertEvent = book.prepare(
    "INSERT INTO wallet_events (event_id, kind, json, created_at, acknowledged_at, withdrawn_at) VALUES (?, ?, '{}', 1, ?, ?)",
  );
  insertEvent.run("waiting", 7375, null, null);
  insertEvent.run("acknowledged", 7375, 2, null);
  insertEvent.run("withdrawn", 7375, null, 2);
  insertEvent.run("history", 7376, null, null);
  const insertProof = book.prepare(
    `INSERT INTO proofs (y, mint_url, keyset_id, amount_sat, secret, c, taken_at, event_id, spent_at)
     VALUES (?, 'http://mint', 'k', 1, ?, 'c', 1, ?, ?)`,
  );
  insertProof.run("unwrapped", "a", null, null);
  insertProof.run("wrapped", "b", "waiting", null);
  insertProof.run("spent", "c", null, 2);
  expect(readUnfinished(path)).toEqual({ ...NOTHING, walletWaiting: 2 });
});
