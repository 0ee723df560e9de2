import { copyFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { createDurability, createLogSync } from "./durability.ts";
import { type Book, openBook } from "./open-book.ts";

let folder: TempDir;
let path: string;
let book: Book;

beforeEach(async () => {
  folder = await makeTempDir();
  path = join(folder.path, "book.db");
  book = openBook(path);
  book.pragma("wal_checkpoint(TRUNCATE)");
});
afterEach(async () => {
  book.close();
  await folder.remove();
});

const write = (name: string) => () =>
  book
    .transaction(() => book.prepare("INSERT INTO facts (name, value) VALUES (?, '')").run(name))
    .immediate();
const mode = () => book.pragma("synchronous", { simple: true });

/** What is left of the book without its log. */
function inTheFileAlone(name: string): boolean {
  const copy = join(folder.path, "alone.db");
  copyFileSync(path, copy);
  const alone = new Database(copy);
  const found = alone.prepare("SELECT 1 FROM facts WHERE name = ?").get(name);
  alone.close();
  return found !== undefined;
}

it("answers only after the log was synced, all that was committed by then", async () => {
  const steps: string[] = [];
  const sync = createLogSync(book);
  const { lazily, promised, onDisk } = createDurability(book, async () => {
    steps.push("begins");
    await sync();
    steps.push("done");
  });
  promised(write("a"));
  steps.push("committed");
  await onDisk();
  expect(steps).toEqual(["committed", "begins", "done"]);
  lazily(write("b"));
  await onDisk();
  expect(steps).toHaveLength(3);
});

it("what a killed process has committed is synced before the first answer", async () => {
  let syncs = 0;
  const { onDisk } = createDurability(book, async () => {
    syncs++;
  });
  await onDisk();
  await onDisk();
  expect(syncs).toBe(1);
});

it("the log is opened once, beside the file itself, wherever a link to it stands", async () => {
  const link = join(folder.path, "link.db");
  symlinkSync(path, link);
  const linked = openBook(link);
  const sync = createLogSync(linked);
  renameSync(`${path}-wal`, `${path}-away`);
  await sync();
  renameSync(`${path}-away`, `${path}-wal`);
  linked.close();
});

it("what is committed while the disk writes waits for the next turn, and shares it", async () => {
  const turns: (() => void)[] = [];
  const { promised, onDisk } = createDurability(book, () => new Promise((resolve) => turns.push(resolve)));
  const answered: string[] = [];
  const commit = (name: string) => {
    promised(write(name));
    return onDisk().then(() => answered.push(name));
  };
  const first = commit("a");
  const others = [commit("b"), commit("c")];
  turns[0]?.();
  await first;
  await expect.poll(() => turns.length).toBe(2);
  expect(answered).toEqual(["a"]);
  turns[1]?.();
  await Promise.all(others);
  expect(turns).toHaveLength(2);
});

it("only the transaction itself does not wait for the disk, whatever becomes of it", () => {
  const { lazily, promised } = createDurability(book);
  expect(lazily(mode)).toBe(1);
  expect(mode()).toBe(2);
  lazily(write("a"));
  expect(() => promised(write("a"))).toThrow(/UNIQUE/);
  expect(mode()).toBe(2);
});

it("a log that could not be synced is folded into the book, for what failed once is not written again", async () => {
  const failing = createDurability(book, () => Promise.reject(new Error("EIO")));
  failing.promised(write("a"));
  expect(inTheFileAlone("a")).toBe(false);
  await failing.onDisk();
  expect(inTheFileAlone("a")).toBe(true);
});

it("says that the book cannot be written while even that fails, and tries again", async () => {
  book.pragma("busy_timeout = 0");
  let syncs = 0;
  const failing = createDurability(book, async () => {
    syncs++;
    if (syncs === 1) throw new Error("EIO");
  });
  const reader = new Database(path);
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM facts").get();
  failing.promised(write("a"));
  await expect(failing.onDisk()).rejects.toMatchObject({ code: "SQLITE_IOERR_FSYNC" });
  reader.close();
  await failing.onDisk();
  expect(syncs).toBe(1);
  expect(inTheFileAlone("a")).toBe(true);
});
