import { join } from "node:path";
import Database from "better-sqlite3";
import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { createDatabaseProbe } from "./database-probe.ts";

let folder: TempDir;
let book: Database.Database;
let logged: { event: string }[];
let changes: number;

beforeEach(async () => {
  folder = await makeTempDir();
  book = new Database(join(folder.path, "book.db"));
  book.exec("CREATE TABLE facts (value)");
  logged = [];
  changes = 0;
});
afterEach(async () => {
  book.close();
  await folder.remove();
});

it("says once that the book cannot be written, and once that it can again", () => {
  const probe = createDatabaseProbe({
    path: join(folder.path, "book.db"),
    write: () => void book.exec("INSERT INTO facts VALUES (1)"),
    logger: pino({ level: "info" }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    onChange: () => void changes++,
  });
  probe.probe();
  expect([probe.trouble(), probe.writable(), changes]).toEqual([undefined, true, 0]);
  book.pragma("query_only = ON");
  probe.probe();
  probe.probe();
  expect([probe.trouble(), probe.writable(), changes]).toEqual([
    "the database cannot be written (SQLITE_READONLY)",
    false,
    1,
  ]);
  book.pragma("query_only = OFF");
  probe.probe();
  expect([probe.trouble(), probe.writable(), changes]).toEqual([undefined, true, 2]);
  expect(logged.map(({ event }) => event)).toEqual(["database-trouble", "database-well"]);
});
