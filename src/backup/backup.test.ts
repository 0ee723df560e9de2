import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COPIED_AT, copyBook, removeStrayCopies } from "../db/copy-book.ts";
import { createFacts } from "../db/facts.ts";
import { type Book, openBook } from "../db/open-book.ts";
import { mountSmallDisk, mountsMissing } from "../testing/small-disk.ts";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { type Opener, open, type Seal, seal } from "./age.ts";
import { type Member, pack } from "./archive.ts";
import type { BackedUp } from "./collect.ts";
import { createBackupHabit } from "./habit.ts";
import { makeBackup } from "./make-backup.ts";
import { type Restored, restoreBackup } from "./restore-backup.ts";

const NOW = 1_800_000_000;
const PUBKEY = "ab".repeat(32);
const noMounts = mountsMissing(Boolean(process.env.CI));
const INTERFACE_KEY = randomBytes(32).toString("base64");

let folder: TempDir;
let book: Book;
let recipient: Seal;
let identity: Opener;
let config: BackedUp;

beforeEach(async () => {
  folder = await makeTempDir();
  for (const name of ["data", "config"]) mkdirSync(join(folder.path, name), { mode: 0o700 });
  const nsecFile = join(folder.path, "config", "nsec");
  writeFileSync(nsecFile, "11".repeat(32), { mode: 0o600 });
  config = {
    path: join(folder.path, "config", "config.toml"),
    namedFiles: [{ name: "nostr.nsec_file", path: nsecFile }],
    db: { path: join(folder.path, "data", "sessions.db") },
    nostr: { pubkey: PUBKEY },
  };
  writeFileSync(config.path, "# mine\n", { mode: 0o600 });
  book = openBook(config.db.path);
  createFacts(book).set("x", "y".repeat(200_000));
  const key = await generateX25519Identity();
  identity = { identities: [key] };
  recipient = { recipient: await identityToRecipient(key) };
});
afterEach(async () => {
  book.close();
  await folder.remove();
});

async function made(to: Seal = recipient, name = "b.age"): Promise<string> {
  const copy = await copyBook(book, () => NOW);
  const path = join(folder.path, "out", name);
  await makeBackup(config, INTERFACE_KEY, copy, to, path);
  return path;
}

function restored(file: string, by: Opener = identity): Promise<Restored> {
  return restoreBackup({ file, by, configPath: config.path, beneath: join(folder.path, "to") });
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

const at = (path: string) => join(folder.path, "to", path);
const filesBeneathTo = () => (existsSync(at("")) ? readdirSync(at(""), { recursive: true }) : []);

async function refusal(restoring: Promise<unknown>): Promise<string> {
  const error = await restoring.then(
    () => new Error("it was restored"),
    (reason: unknown) => reason,
  );
  expect((error as Error).name).toBe("BackupError");
  expect(filesBeneathTo()).toEqual([]);
  return (error as Error).message;
}

/** A file such as somebody else can make, who knows the recipient. */
async function forged(members: readonly Member[]): Promise<string> {
  const path = join(folder.path, "forged.age");
  writeFileSync(path, await buffer(await seal(pack(members, NOW), recipient)));
  return path;
}

describe("a backup", () => {
  it("restores book, config and keys, each for its owner alone, the book marked as a copy", async () => {
    const path = await made();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder.path, "out")).mode & 0o777).toBe(0o700);
    const { written, madeAt, pubkey, absent, interfaceKeyPath } = await restored(path);
    expect({ madeAt, pubkey, absent }).toEqual({ madeAt: NOW, pubkey: PUBKEY, absent: [] });
    expect(written.at(-1)).toBe(at(config.path));
    for (const file of written) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(at(folder.path)).mode & 0o777).toBe(0o700);
    expect(readFileSync(at(config.path), "utf8")).toBe("# mine\n");
    expect(readFileSync(at(join(folder.path, "config", "nsec")), "utf8")).toBe("11".repeat(32));
    expect(readFileSync(String(interfaceKeyPath), "utf8")).toBe(`${INTERFACE_KEY}\n`);
    const facts = createFacts(book);
    const copy = openBook(at(config.db.path));
    expect(createFacts(copy).get("x")).toBe(facts.get("x"));
    expect(createFacts(copy).get(COPIED_AT)).toBe(String(NOW));
    expect(facts.get(COPIED_AT)).toBeUndefined();
    copy.close();
    expect(filesBeneathTo().filter((name) => String(name).includes("restoring"))).toEqual([]);
  });

  it("is of a book that is written to meanwhile, and whole", async () => {
    const facts = createFacts(book);
    let writing = true;
    const writer = (async () => {
      for (let n = 1; writing; n++) {
        book.transaction(() => {
          facts.set("left", String(n));
          facts.set("right", String(n));
        })();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const path = await made();
    writing = false;
    await writer;
    await restored(path);
    const copy = openBook(at(config.db.path));
    const read = createFacts(copy);
    expect(Number(read.get("left"))).toBeGreaterThan(0);
    expect(read.get("right")).toBe(read.get("left"));
    copy.close();
  });

  it("says what it could not take, and what a restore would refuse", async () => {
    const password = join(folder.path, "config", "lightning");
    writeFileSync(password, "* * * * * root reboot\n");
    config.namedFiles.push(
      { name: "lightning.api_token_file", path: password },
      { name: "lightning.cert_file", path: join(folder.path, "none.pem") },
      { name: "backup.passphrase_file", path: join(folder.path, "config", "nsec") },
    );
    const copy = await copyBook(book, () => NOW);
    const { absent } = await makeBackup(
      config,
      undefined,
      copy,
      recipient,
      join(folder.path, "out", "b.age"),
    );
    expect((await restored(join(folder.path, "out", "b.age"))).absent).toEqual(absent);
    expect(absent.map(({ name }) => name)).toEqual([
      "lightning.api_token_file",
      "lightning.cert_file",
      "backup.passphrase_file",
      "wireguard.private_key",
    ]);
  });

  it("overwrites nothing, neither when it is made nor when it is restored", async () => {
    const path = await made();
    await expect(made()).rejects.toThrow(/stands already/);
    mkdirSync(join(at(config.db.path), ".."), { recursive: true });
    writeFileSync(`${at(config.db.path)}-wal`, "");
    await expect(restored(path)).rejects.toThrow(/stand already: .*sessions\.db-wal/);
    expect(filesBeneathTo().filter((name) => String(name).endsWith("config.toml"))).toEqual([]);
  });

  it("opens by a passphrase as age's own library opens it", { timeout: 120_000 }, async () => {
    const path = await made({ passphrase: "correct horse battery" });
    expect(await refusal(restored(path, { passphrase: "incorrect horse" }))).toMatch(
      /passphrase does not open/,
    );
    expect((await restored(path, { passphrase: "correct horse battery" })).madeAt).toBe(NOW);
  });
});

describe("what is no whole backup writes nothing", () => {
  it("another's key", async () => {
    const path = await made();
    const other = { identities: [await generateX25519Identity()] };
    expect(await refusal(restored(path, other))).toMatch(/no key of the identity file/);
  });

  it("a file cut short anywhere", async () => {
    for (const share of [0.1, 0.5, 0.99]) {
      const path = await made(recipient, `b-${share}.age`);
      truncateSync(path, Math.floor(statSync(path).size * share));
      expect(await refusal(restored(path))).toMatch(/cut short/);
    }
  });

  it("a file of another kind, and none", async () => {
    const path = join(folder.path, "photo.jpg");
    writeFileSync(path, randomBytes(4000));
    expect(await refusal(restored(path))).toMatch(/not in age's format/);
    expect(await refusal(restored(join(folder.path, "nowhere")))).toMatch(/does not exist/);
  });

  it("a file that opens and holds something else", async () => {
    const opened = await forged([{ name: "photo.jpg", content: randomBytes(100) }]);
    expect(await refusal(restored(opened))).toMatch(/no backup of europa-node/);
    const path = join(folder.path, "no-tar.age");
    writeFileSync(path, await buffer(await seal(Readable.from([randomBytes(5000)]), recipient)));
    expect(await refusal(restored(path))).toMatch(/cut short or damaged/);
  });

  it("a newer format", async () => {
    const content = Buffer.from(JSON.stringify({ format: "europa-node-backup", version: 2 }));
    expect(await refusal(restored(await forged([{ name: "manifest.json", content }])))).toMatch(
      /of format 2/,
    );
  });

  it("a forged one that would put something else where it likes", async () => {
    const genuine = await open(Readable.from([readFileSync(await made())]), identity);
    await buffer(genuine);
    const manifest = {
      format: "europa-node-backup",
      version: 1,
      madeAt: NOW,
      daemonVersion: "1",
      pubkey: PUBKEY,
      book: { member: "book.db", path: "/data/sessions.db", bytes: 20 },
      config: { member: "config.toml" },
      keys: [{ member: "keys/nostr.nsec_file", name: "nostr.nsec_file", path: "/etc/cron.d/mine" }],
      absent: [],
    };
    const members = (nsec: string, database: string): Member[] => [
      { name: "manifest.json", content: Buffer.from(JSON.stringify(manifest)) },
      { name: "config.toml", content: Buffer.from("") },
      { name: "keys/nostr.nsec_file", content: Buffer.from(nsec) },
      { name: "book.db", content: Buffer.from(database) },
    ];
    for (const [nsec, database] of [
      ["* * * * * root true\n", "SQLite format 3\0"],
      ["11".repeat(32), "* * * * * root true\n"],
    ] as const) {
      expect(await refusal(restored(await forged(members(nsec, database))))).toMatch(/tampered/);
    }
    const [first, ...others] = members("11".repeat(32), "");
    const twice = await forged([first as Member, ...others.slice(0, 2), others[1] as Member]);
    expect(await refusal(restored(twice))).toMatch(/tampered/);
    expect(await refusal(restored(await forged([first as Member, others[0] as Member])))).toMatch(/tampered/);
  });
});

it("copies that a killed process left go at the next start", async () => {
  const { path } = await copyBook(book, () => NOW);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  removeStrayCopies(config.db.path);
  expect(existsSync(path)).toBe(false);
  expect(existsSync(config.db.path)).toBe(true);
});

describe("the habit", () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const clock = { now: Math.floor(Date.now() / 1000) };
  const habitOf = (dir: string, to: Seal | { passphraseFile: string } | undefined = recipient) =>
    createBackupHabit({
      book,
      config: { ...config, backup: { everyHours: 24, keep: 2, dir, seal: to as { recipient: string } } },
      readInterfaceKey: async () => INTERFACE_KEY,
      now: () => clock.now,
      logger,
      signal: new AbortController().signal,
    });
  const named = (name: string) => lines.filter(({ event }) => event === name);

  beforeEach(() => void lines.splice(0));

  it("makes one when none is younger than its hours, and keeps the newest", async () => {
    const dir = join(folder.path, "backups");
    const habit = habitOf(dir);
    const startedAt = clock.now;
    await Promise.all([habit(), habit()]);
    await habit();
    expect(named("backup-failed")).toEqual([]);
    expect(named("backup-made")).toHaveLength(1);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    const kept: string[] = [];
    for (let day = 1; day <= 3; day++) {
      clock.now = startedAt + day * 30 * 86_400;
      await habit();
      kept.push(...readdirSync(dir));
    }
    expect(named("backup-made")).toHaveLength(4);
    expect(readdirSync(dir)).toHaveLength(2);
    expect(readdirSync(dir).at(-1)).toBe([...kept].sort().at(-1));
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    await restored(join(dir, readdirSync(dir)[0] ?? ""));
  });

  it.skipIf(noMounts)("leaves a disk alone that it would fill, and one that its file would", async () => {
    const small = join(folder.path, "small");
    const disk = mountSmallDisk(small, 24);
    try {
      book.close();
      book = openBook(join(small, "sessions.db"));
      createFacts(book).set("x", "y".repeat(6 * 2 ** 20));
      book.pragma("wal_checkpoint(TRUNCATE)");
      const before = freeBytes(small);
      disk.fill(12 * 2 ** 20);
      await habitOf(join(folder.path, "elsewhere"))();
      expect(named("backup-failed")).toMatchObject([{ why: "NoRoomError ENOSPC" }]);
      disk.makeRoom();
      await habitOf(join(small, "backups"))();
      expect(named("backup-failed")[1]?.why).toMatch(/would fill its disk/);
      await habitOf(join(folder.path, "elsewhere"))();
      expect(named("backup-made")).toHaveLength(1);
      expect(freeBytes(small)).toBe(before);
    } finally {
      disk.unmount();
    }
  });

  it("a failure is told, never thrown, and tried again later", async () => {
    const dir = join(folder.path, "backups");
    writeFileSync(dir, "a file stands here");
    const habit = habitOf(dir);
    await habit();
    await habit();
    expect(named("backup-failed")).toHaveLength(1);
    const open = habitOf(join(folder.path, "open"));
    mkdirSync(join(folder.path, "open"), { mode: 0o755 });
    await open();
    expect(named("backup-failed")[1]?.why).toMatch(/chmod 700/);
    await habitOf(join(folder.path, "short"), { passphraseFile: config.path })();
    expect(named("backup-failed")[2]?.why).toMatch(/fewer than 12/);
    expect(readdirSync(join(folder.path, "data")).filter((name) => name.includes("copy-"))).toEqual([]);
  });
});
