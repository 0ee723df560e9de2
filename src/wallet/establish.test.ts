import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { encrypt, getConversationKey } from "nostr-tools/nip44";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import pino from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../clock.ts";
import { createDurability } from "../db/durability.ts";
import { type Book, openBook } from "../db/open-book.ts";
import { connectRelays, type Relays } from "../nostr/relays.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { createWalletCodec, WALLET_KIND } from "./codec.ts";
import { type EstablishOptions, establishWallet } from "./establish.ts";
import { createOutbox } from "./outbox.ts";
import { createWalletStore } from "./wallet-store.ts";

const mint = "https://mint.example";
const secretKey = generateSecretKey();
const pubkeyHex = getPublicKey(secretKey);
const codec = createWalletCodec(secretKey);
const closing: (() => unknown)[] = [];
const log: string[] = [];
const sink = new Writable({
  write(chunk, _encoding, done) {
    log.push(String(chunk));
    done();
  },
});
const logger = pino({ level: "trace" }, sink);

let folder: string;
let book: Book;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-"));
  book = openBook(join(folder, "book.db"));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  book.close();
  rmSync(folder, { recursive: true });
});

async function relay(): Promise<TestRelay> {
  const started = await startRelay();
  closing.push(() => started.stop());
  return started;
}

async function connect(...targets: TestRelay[]): Promise<Relays> {
  const relays = await connectRelays({
    urls: targets.map(({ url }) => url),
    secretKey,
    clock: systemClock,
    logger,
    connectDeadlineMs: 200,
    retryMs: { first: 50, longest: 100 },
  });
  closing.push(() => relays.close());
  return relays;
}

async function establish(targets: TestRelay[], options: Partial<EstablishOptions> = {}) {
  return establishWallet({
    relays: await connect(...targets),
    codec,
    store: createWalletStore(book, createDurability(book)),
    pubkeyHex,
    mintUrls: [mint],
    createWallet: false,
    clock: systemClock,
    logger,
    askMs: 600,
    roundMs: 200,
    pauseMs: 50,
    ...options,
  });
}

const put = async (target: TestRelay, event: ReturnType<typeof finalizeEvent>) => {
  const answers = await (await connect(target)).publish(event, { deadlineMs: 1000 });
  expect(answers).toMatchObject([{ kind: "acknowledged" }]);
};

const foreignWallet = (entries: string[][], created_at: number, key = secretKey) =>
  finalizeEvent(
    {
      kind: WALLET_KIND,
      created_at,
      tags: [],
      content: encrypt(JSON.stringify(entries), getConversationKey(key, getPublicKey(key))),
    },
    secretKey,
  );

const walletsAt = (target: TestRelay) => target.events().filter(({ kind }) => kind === WALLET_KIND);
const now = systemClock.now();

test("none anywhere: one is created, and the next start finds that one", async () => {
  const [one, two] = [await relay(), await relay()];
  const first = await establish([one, two]);
  expect(first).toMatchObject({ kind: "established", created: true, silent: [] });
  if (first.kind !== "established") throw new Error();
  expect(first.acknowledgedBy.length).toBeGreaterThan(0);
  await vi.waitFor(() => expect([...walletsAt(one), ...walletsAt(two)]).toHaveLength(2), 1000);
  expect(await establish([one, two])).toMatchObject({ created: false, event: { id: first.event.id } });
  expect(walletsAt(one)).toHaveLength(1);
});

test("another account's wallet in the book is none of this one's", async () => {
  const one = await relay();
  const former = createWalletCodec(generateSecretKey());
  const event = await former.newWallet([mint], now);
  createWalletStore(book, createDurability(book)).rememberWallet(event, [one.url], [one.url], now);
  expect(await establish([one])).toMatchObject({ created: true, event: { pubkey: pubkeyHex } });
  expect(await establish([one])).toMatchObject({ created: false, event: { pubkey: pubkeyHex } });
});

test("half of the relays say none, the other half is silent and is named: created after the time of asking", async () => {
  const [one, mute] = [await relay(), await relay()];
  mute.mute = true;
  const startedAt = performance.now();
  const result = await establish([one, mute]);
  expect(performance.now() - startedAt).toBeGreaterThan(500);
  expect(result).toMatchObject({ created: true, acknowledgedBy: [one.url], silent: [{ url: mute.url }] });
});

test("less than half answer: nothing is created, each relay is named with its words", async () => {
  const [one, mute, dead] = [await relay(), await relay(), await relay()];
  mute.mute = true;
  await dead.stop();
  const result = await establish([one, mute, dead]);
  expect(result).toEqual({
    kind: "failed",
    why: "too few relays say that there is no wallet yet",
    relays: [
      { url: one.url, said: "has no wallet" },
      { url: mute.url, said: "no answer within 200 ms" },
      { url: dead.url, said: "could not connect" },
    ],
  });
  expect(walletsAt(one)).toEqual([]);
  expect(createWalletStore(book, createDurability(book)).wallet()).toBeUndefined();
});

test("--create-wallet overrides the silence of relays", async () => {
  const [one, two, mute] = [await relay(), await relay(), await relay()];
  mute.mute = true;
  two.mute = true;
  expect(await establish([one, two, mute], { createWallet: true })).toMatchObject({ created: true });
});

test("--create-wallet does not replace a wallet that is there", async () => {
  const one = await relay();
  const wallet = foreignWallet(
    [
      ["mint", mint],
      ["privkey", "11".repeat(32)],
    ],
    now - 100,
  );
  await put(one, wallet);
  const result = await establish([one], { createWallet: true });
  expect(result).toMatchObject({ created: false, event: { id: wallet.id } });
});

test("a relay that comes up within the time of asking is heard", async () => {
  const [one, late] = [await relay(), await relay()];
  const wallet = foreignWallet(
    [
      ["mint", mint],
      ["privkey", "11".repeat(32)],
    ],
    now - 100,
  );
  await put(late, wallet);
  await late.stop();
  const establishing = establish([one, late], { askMs: 3000 });
  setTimeout(() => void late.start(), 500);
  expect(await establishing).toMatchObject({ created: false, event: { id: wallet.id } });
  await vi.waitFor(() => expect(walletsAt(one)).toMatchObject([{ id: wallet.id }]), 1000);
});

test("the newest wallet of all relays wins, is extended by mints alone, and reaches the relays that lack it", async () => {
  const [old, recent, lacks] = [await relay(), await relay(), await relay()];
  const entries = [
    ["mint", "https://former.example"],
    ["privkey", "22".repeat(32)],
    ["note", "mine"],
  ];
  await put(
    old,
    foreignWallet(
      [
        ["mint", mint],
        ["privkey", "11".repeat(32)],
      ],
      now - 200,
    ),
  );
  await put(recent, foreignWallet(entries, now + 50));
  const result = await establish([old, recent, lacks]);
  if (result.kind !== "established") throw new Error("not established");
  expect(result.created).toBe(false);
  expect(result.event.created_at).toBe(now + 51);
  expect((await codec.readWallet(result.event))?.mintUrls).toEqual(["https://former.example", mint]);
  for (const target of [old, recent, lacks]) {
    await vi.waitFor(() => expect(walletsAt(target)).toMatchObject([{ id: result.event.id }]), 1000);
  }
});

test("before an extension a slow relay is waited for, so that its newer wallet is not lost", async () => {
  const [fast, slow] = [await relay(), await relay()];
  await establish([fast]);
  const newer = foreignWallet(
    [
      ["mint", "https://theirs.example"],
      ["privkey", "33".repeat(32)],
    ],
    now + 60,
  );
  await put(slow, newer);
  slow.mute = true;
  setTimeout(() => {
    slow.mute = false;
  }, 400);
  const result = await establish([fast, slow], { mintUrls: [mint, "https://second.example"], askMs: 3000 });
  if (result.kind !== "established") throw new Error("not established");
  expect((await codec.readWallet(result.event))?.mintUrls).toEqual([
    "https://theirs.example",
    mint,
    "https://second.example",
  ]);
});

test("a wallet that the book knows is republished, never made anew", async () => {
  const [lost, fresh] = [await relay(), await relay()];
  const first = await establish([lost]);
  if (first.kind !== "established") throw new Error();
  const second = await establish([fresh]);
  expect(second).toMatchObject({
    created: false,
    event: { id: first.event.id },
    acknowledgedBy: [fresh.url],
  });
  expect(walletsAt(fresh)).toMatchObject([{ id: first.event.id, sig: first.event.sig }]);
});

test("a wallet made but never taken by a relay is sent at the next start, or gives way to one that is there", async () => {
  const refuses = await relay();
  refuses.policy = () => ({ refuse: "blocked: members only" });
  const failed = await establish([refuses]);
  expect(failed).toEqual({
    kind: "failed",
    why: "no relay takes the wallet",
    relays: [{ url: refuses.url, said: "blocked: members only" }],
  });
  const made = createWalletStore(book, createDurability(book)).wallet();
  expect(made?.acknowledged).toBe(false);

  const theirs = await relay();
  const wallet = foreignWallet(
    [
      ["mint", mint],
      ["privkey", "11".repeat(32)],
    ],
    now - 1000,
  );
  await put(theirs, wallet);
  expect(await establish([theirs])).toMatchObject({ created: false, event: { id: wallet.id } });
});

test("a wallet that cannot be read is never overwritten", async () => {
  const one = await relay();
  const strange = foreignWallet([["mint", mint]], now - 10, generateSecretKey());
  await put(one, strange);
  for (const createWallet of [false, true]) {
    expect(await establish([one], { createWallet })).toEqual({
      kind: "failed",
      why: "there is a wallet event that could not be read: it is not overwritten",
      relays: [{ url: one.url, said: "has a wallet" }],
    });
  }
  expect(one.events().map(({ id }) => id)).toEqual([strange.id]);
});

test("all relays dead: fails in the given time and names them", async () => {
  const dead = await relay();
  await dead.stop();
  const startedAt = performance.now();
  expect(await establish([dead])).toMatchObject({
    kind: "failed",
    relays: [{ url: dead.url, said: "could not connect" }],
  });
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

test("kinds 375 and 10019 stay as they are", async () => {
  const one = await relay();
  const others = [375, 10019].map((kind) =>
    finalizeEvent({ kind, created_at: now - 9, tags: [], content: "x" }, secretKey),
  );
  for (const event of others) await put(one, event);
  await establish([one]);
  const ids = one.events().map(({ id }) => id);
  for (const { id } of others) expect(ids).toContain(id);
  expect(one.events()).toHaveLength(3);
});

test("a relay that missed the wallet gets it from the outbox", async () => {
  const [one, late] = [await relay(), await relay()];
  await late.stop();
  const relays = await connect(one, late);
  expect(await establish([one, late], { relays })).toMatchObject({ kind: "established" });
  const outbox = createOutbox({
    relays,
    codec,
    store: createWalletStore(book, createDurability(book)),
    clock: systemClock,
    logger,
  });
  closing.push(() => outbox.stop());
  await late.start();
  await vi.waitFor(async () => {
    await outbox.flush();
    expect(walletsAt(late)).toHaveLength(1);
  }, 3000);
});

test("no line of the log holds a key", () => {
  const output = log.join("");
  expect(output).toMatch(/wallet-ready/);
  expect(output).toMatch(/wallet-failed/);
  expect(output).not.toContain(Buffer.from(secretKey).toString("hex"));
  expect(output).not.toMatch(/privkey|(11){32}|(22){32}/);
});
