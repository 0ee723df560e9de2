import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAgedBook } from "../testing/aged-book.ts";
import { buildOldDatabase, type OldRow } from "../testing/old-database.ts";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { createFacts } from "./facts.ts";
import { openBook } from "./open-book.ts";
import { migrations } from "./schema.ts";

const DAY = 86_400;
const NOW = 1_800_000_000;

let folder: TempDir;
let path: string;
const at = (now: number) => ({ now: () => now });
const modeOf = (file: string) => statSync(file).mode & 0o777;
const copies = () => readdirSync(folder.path).filter((name) => name.includes(".before-europa-"));

beforeEach(async () => {
  folder = await makeTempDir();
  path = join(folder.path, "sessions.db");
});
afterEach(() => folder.remove());

describe("a fresh book", () => {
  it("is made in a folder of its own, private with its side files", () => {
    const deep = join(folder.path, "var", "europa", "sessions.db");
    const umask = process.umask(0o022);
    const book = openBook(deep);
    createFacts(book).set("a", "b");
    process.umask(umask);
    expect([deep, `${deep}-wal`, `${deep}-shm`].map(modeOf)).toEqual([0o600, 0o600, 0o600]);
    expect([join(folder.path, "var"), join(folder.path, "var", "europa")].map(modeOf)).toEqual([
      0o700, 0o700,
    ]);
    book.close();
  });

  it("is in the mode that money needs", () => {
    const book = openBook(path);
    const pragma = (name: string) => book.pragma(name, { simple: true });
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("synchronous")).toBe(2);
    expect(pragma("secure_delete")).toBe(1);
    expect(pragma("foreign_keys")).toBe(1);
    book.close();
  });

  it("needs no copy, and opens a second time as it was", () => {
    openBook(path, at(NOW)).close();
    const again = openBook(path, at(NOW + 1));
    expect(again.prepare("SELECT version FROM europa_schema").pluck().all()).toEqual([migrations.length]);
    again.close();
    expect(copies()).toEqual([]);
  });

  it("overwrites what it deletes", () => {
    const book = openBook(path);
    const facts = createFacts(book);
    facts.set("secret", "a-secret-nobody-may-find-again");
    facts.set("secret", "gone");
    book.pragma("wal_checkpoint(TRUNCATE)");
    book.close();
    expect(readFileSync(path).includes("a-secret-nobody-may-find-again")).toBe(false);
  });
});

describe("a file that was there", () => {
  it("loses the rights of others, side files of a killed daemon included", () => {
    const former = new Database(path);
    former.pragma("journal_mode = WAL");
    former.exec("CREATE TABLE sessions_of_another (x)");
    for (const file of [path, `${path}-wal`, `${path}-shm`]) chmodSync(file, 0o644);
    const book = openBook(path);
    expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual([0o600, 0o600, 0o600]);
    book.close();
    former.close();
  });

  it("is refused when a newer europa-node wrote it, and not touched", () => {
    openBook(path).close();
    const newer = new Database(path);
    newer.prepare("UPDATE europa_schema SET version = ?").run(migrations.length + 1);
    newer.close();
    expect(() => openBook(path)).toThrow(/newer europa-node \(schema/);
    const after = new Database(path);
    expect(after.prepare("SELECT version FROM europa_schema").pluck().get()).toBe(migrations.length + 1);
    after.close();
    expect(copies()).toEqual([]);
  });

  it("is refused in words when it is no database", () => {
    writeFileSync(path, "not a database at all, but long enough to be looked at".repeat(20));
    expect(() => openBook(path)).toThrow(/is damaged .*backup/);
  });

  it("is refused in words when its pages are damaged", () => {
    const book = openBook(path);
    const insert = book.prepare("INSERT INTO pool_addresses (assigned_ip) VALUES (?)");
    book.transaction(() => {
      for (let n = 0; n < 20_000; n++) insert.run(`10.0.${n >> 8}.${n & 255}`);
    })();
    book.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 40_000);
    writeFileSync(path, bytes);
    expect(() => openBook(path)).toThrow(/is damaged/);
  });

  it("is not spoilt further by what a killed daemon had not folded in yet", () => {
    const elsewhere = join(folder.path, "elsewhere.db");
    const book = openBook(elsewhere);
    const insert = book.prepare("INSERT INTO pool_addresses (assigned_ip) VALUES (?)");
    book.transaction(() => {
      for (let n = 0; n < 20_000; n++) insert.run(`10.0.${n >> 8}.${n & 255}`);
    })();
    book.pragma("wal_checkpoint(TRUNCATE)");
    insert.run("the last thing it did");
    for (const side of ["", "-wal"]) copyFileSync(elsewhere + side, path + side);
    book.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 40_000);
    writeFileSync(path, bytes);
    const wal = readFileSync(`${path}-wal`);
    expect(() => openBook(path)).toThrow(/is damaged/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readFileSync(`${path}-wal`).equals(wal)).toBe(true);
  });

  it("is opened although an older daemon was killed in the middle of a write", () => {
    const elsewhere = join(folder.path, "elsewhere.db");
    const old = new Database(elsewhere);
    old.exec("CREATE TABLE notes (note); PRAGMA cache_size = 1; BEGIN");
    const insert = old.prepare("INSERT INTO notes VALUES (?)");
    for (let n = 0; n < 500; n++) insert.run("half done".repeat(100));
    for (const side of ["", "-journal"]) copyFileSync(elsewhere + side, path + side);
    old.exec("ROLLBACK");
    old.close();
    const book = openBook(path, at(NOW));
    expect(book.prepare("SELECT count(*) FROM notes").pluck().get()).toBe(0);
    book.close();
  });
});

describe("an operator's old database", () => {
  const key = (n: number) => `${Buffer.alloc(32, n).toString("base64")}`;
  const rows: OldRow[] = [
    {
      session_id: "time",
      client_identity: key(1),
      assigned_ip: "10.66.42.2",
      status: "active",
      expires_at: NOW + DAY,
    },
    {
      session_id: "data",
      client_identity: key(2),
      assigned_ip: "10.66.42.3",
      status: "active",
      expires_at: NOW + DAY,
      data_quota_bytes: 1e9,
    },
    {
      session_id: "endless",
      client_identity: key(3),
      assigned_ip: "10.66.42.4",
      status: "active",
      data_quota_bytes: 1e9,
    },
    {
      session_id: "invoice",
      client_identity: key(4),
      assigned_ip: "10.66.42.5",
      status: "pending",
      payment_hash: "ab".repeat(32),
    },
    {
      session_id: "over",
      client_identity: key(5),
      assigned_ip: "10.66.42.2",
      status: "expired",
      expires_at: 5,
    },
    { session_id: "revoked", client_identity: key(6), assigned_ip: "10.66.42.2", status: "revoked" },
  ];

  it("keeps every row as it is, its user_version too", () => {
    buildOldDatabase(path, rows);
    const before = new Database(path);
    const old = before.prepare("SELECT * FROM sessions ORDER BY session_id").all();
    before.close();
    const book = openBook(path, at(NOW));
    expect(book.prepare("SELECT * FROM sessions ORDER BY session_id").all()).toEqual(old);
    expect(book.pragma("user_version", { simple: true })).toBe(7);
    book.close();
    openBook(path, at(NOW)).close();
  });

  it("is copied before it is changed, for 7 days, for its owner only", () => {
    buildOldDatabase(path, rows);
    openBook(path, at(NOW)).close();
    expect(copies()).toEqual([`sessions.db.before-europa-${NOW}`]);
    const copyPath = join(folder.path, `sessions.db.before-europa-${NOW}`);
    expect(modeOf(copyPath)).toBe(0o600);
    const copy = new Database(copyPath, { readonly: true });
    expect(copy.prepare("SELECT count(*) FROM sessions").pluck().get()).toBe(rows.length);
    expect(copy.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all()).toEqual([
      "sessions",
    ]);
    copy.close();
    writeFileSync(join(folder.path, "sessions.db.before-europa-mine"), "the operator's own");
    openBook(path, at(NOW + 7 * DAY)).close();
    expect(existsSync(copyPath)).toBe(true);
    openBook(path, at(NOW + 7 * DAY + 1)).close();
    expect(copies()).toEqual(["sessions.db.before-europa-mine"]);
  });

  it("is left as it was when it cannot be copied", () => {
    buildOldDatabase(path, rows);
    mkdirSync(join(folder.path, `sessions.db.before-europa-${NOW}`));
    expect(() => openBook(path, at(NOW))).toThrow(/was not upgraded/);
    const still = new Database(path, { readonly: true });
    expect(still.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all()).toEqual([
      "sessions",
    ]);
    still.close();
  });
});

it.each(migrations.map((_, index) => index + 1))(
  "a book with sales of schema %i is taken on, row for row",
  (version) => {
    const former = new Database(path);
    former.exec("CREATE TABLE europa_schema (version INTEGER NOT NULL)");
    former.exec(migrations.slice(0, version).join(""));
    former.prepare("INSERT INTO europa_schema VALUES (?)").run(version);
    createAgedBook(former).addDay({ startsAt: NOW, sales: 20, mintUrl: "m", relayUrls: ["a", "b"] });
    const tables = ["sessions", "sales", "sale_inputs", "invoices", "proofs", "wallet_event_relays"];
    const counts = (book: Database.Database) =>
      tables.map((table) => book.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
    const before = counts(former);
    former.close();
    const book = openBook(path);
    expect(counts(book)).toEqual(before);
    expect(book.pragma("foreign_key_check")).toEqual([]);
    expect(book.prepare("SELECT version FROM europa_schema").pluck().get()).toBe(migrations.length);
    book.close();
  },
);

it("keeps facts, and makes a secret only once", () => {
  const book = openBook(path);
  const facts = createFacts(book);
  expect(facts.get("nothing")).toBeUndefined();
  const secret = facts.secret("claims");
  expect(secret).toHaveLength(32);
  expect(createFacts(book).secret("claims")).toEqual(secret);
  expect(facts.secret("other")).not.toEqual(secret);
  book.close();
});
