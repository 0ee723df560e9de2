import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { NDKCashuWalletTx } from "@nostr-dev-kit/ndk";
import { decrypt, encrypt, getConversationKey } from "nostr-tools/nip44";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import pino from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../clock.ts";
import { createDurability } from "../db/durability.ts";
import { type Book, openBook } from "../db/open-book.ts";
import type { RelayAnswer } from "../nostr/relay-answer.ts";
import { connectRelays, type Relays } from "../nostr/relays.ts";
import { createSigningNdk, toNdkEvent } from "../nostr/signing-ndk.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { readBalance } from "./balance.ts";
import { createWalletCodec, HISTORY_KIND, TOKEN_KIND } from "./codec.ts";
import { createOutbox, type Outbox, type OutboxOptions } from "./outbox.ts";
import { createWalletStore } from "./wallet-store.ts";

const mintA = "https://a.example";
const mintB = "https://b.example";
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
let proofCount = 0;
let skewSeconds = 0;
const clock = { now: () => systemClock.now() + skewSeconds };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outbox-"));
  book = openBook(join(folder, "book.db"));
  skewSeconds = 0;
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
    connectDeadlineMs: 300,
    retryMs: { first: 50, longest: 100 },
  });
  closing.push(() => relays.close());
  return relays;
}

function outbox(relays: OutboxOptions["relays"]): Outbox {
  const made = createOutbox({
    relays,
    codec,
    store: createWalletStore(book, createDurability(book)),
    clock,
    logger,
    deadlineMs: 1_500,
  });
  closing.push(() => made.stop());
  return made;
}

function takeIn(mintUrl: string, ...amounts: number[]): void {
  const insert = book.prepare(
    "INSERT INTO proofs (y, mint_url, keyset_id, amount_sat, secret, c, taken_at) VALUES (?, ?, '00ad268c4d1f5826', ?, ?, ?, 1)",
  );
  for (const amountSat of amounts) {
    proofCount += 1;
    const hex = proofCount.toString(16).padStart(64, "0");
    insert.run(`03${hex}`, mintUrl, amountSat, `secret-${hex}`, `02${hex}`);
  }
}

const tokensAt = (target: TestRelay) => target.events().filter(({ kind }) => kind === TOKEN_KIND);
const historyAt = (target: TestRelay) => target.events().filter(({ kind }) => kind === HISTORY_KIND);

/** What another NIP-60 client with the same key reads, over sockets of its own. */
async function balanceElsewhere(...targets: TestRelay[]): Promise<Record<string, number>> {
  const { satByMint, unreadable } = await readBalance(
    await connect(...targets),
    createWalletCodec(secretKey),
    pubkeyHex,
    1000,
  );
  expect(unreadable).toBe(0);
  return Object.fromEntries(satByMint);
}

test("each mint's proofs become one event on every relay, and nothing waits any more", async () => {
  const [one, two] = [await relay(), await relay()];
  const box = outbox(await connect(one, two));
  takeIn(mintA, 1, 2, 4, 64);
  takeIn(mintB, 8);
  expect(box.waiting()).toEqual({ events: 0, proofs: 5 });
  await box.flush();
  expect(box.waiting()).toEqual({ events: 0, proofs: 0 });
  for (const target of [one, two]) {
    expect([tokensAt(target).length, historyAt(target).length]).toEqual([2, 2]);
    expect(await balanceElsewhere(target)).toEqual({ [mintA]: 71, [mintB]: 8 });
  }
});

test("says since when the longest waits: proofs in no event, then an event that no relay took", async () => {
  const one = await relay();
  one.policy = () => ({ refuse: "error: not now" });
  const box = outbox(await connect(one));
  const { waitingSince } = createWalletStore(book, createDurability(book));
  expect(waitingSince()).toBeUndefined();
  takeIn(mintA, 1);
  expect(waitingSince()).toBe(1);
  const before = clock.now();
  await box.flush();
  expect(waitingSince()).toBeGreaterThanOrEqual(before);
  one.policy = () => "accept";
  skewSeconds = 1_000;
  await box.flush();
  expect(waitingSince()).toBeUndefined();
});

test("a poke sends soon, and sales close together share an event", async () => {
  const one = await relay();
  const box = outbox(await connect(one));
  for (const amount of [1, 2, 4]) {
    takeIn(mintA, amount);
    box.poke();
  }
  await vi.waitFor(() => expect(tokensAt(one)).toHaveLength(1), 2000);
  await vi.waitFor(() => expect(box.waiting()).toEqual({ events: 0, proofs: 0 }), 2000);
});

test("more proofs than fit one event are in several, each once", async () => {
  const one = await relay();
  const box = outbox(await connect(one));
  book.transaction(() => takeIn(mintA, ...Array<number>(450).fill(3)))();
  await box.flush();
  expect(tokensAt(one)).toHaveLength(3);
  expect(await balanceElsewhere(one)).toEqual({ [mintA]: 1350 });
});

test("no event is sent before it is on disk, nor by a flush that was under way already", async () => {
  const one = await relay();
  const relays = await connect(one);
  let disk = Promise.resolve();
  let answers = Promise.resolve();
  const held: (() => void)[] = [];
  const hold = () => new Promise<void>((resolve) => held.push(resolve));
  const box = createOutbox({
    relays: {
      urls: relays.urls,
      status: () => relays.status(),
      publish: async (event, options) => {
        const answered = await relays.publish(event, options);
        await answers;
        return answered;
      },
    },
    codec,
    store: createWalletStore(
      book,
      createDurability(book, () => disk),
    ),
    clock,
    logger,
  });
  closing.push(() => box.stop());
  answers = hold();
  takeIn(mintA, 1);
  const first = box.flush();
  await vi.waitFor(() => expect(tokensAt(one)).toHaveLength(1), 2000);
  disk = hold();
  takeIn(mintA, 2);
  const second = box.flush();
  await vi.waitFor(() => expect(box.waiting()).toEqual({ events: 2, proofs: 0 }), 2000);
  held[0]?.();
  await vi.waitFor(() => expect(box.waiting()).toEqual({ events: 1, proofs: 0 }), 2000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(tokensAt(one)).toHaveLength(1);
  held[1]?.();
  await Promise.all([first, second]);
  expect(tokensAt(one)).toHaveLength(2);
});

test("flushes at the same time wrap and send everything once", async () => {
  const one = await relay();
  const sent: string[] = [];
  one.policy = (event) => {
    if (event.kind === TOKEN_KIND) sent.push(event.id);
    return "accept";
  };
  const box = outbox(await connect(one));
  takeIn(mintA, 1, 2, 4);
  await Promise.all([box.flush(), box.flush(), box.flush()]);
  expect(sent).toHaveLength(1);
});

test("all relays down: the event waits in the book through a restart, and goes out unchanged when one returns", async () => {
  const one = await relay();
  const relays = await connect(one);
  const box = outbox(relays);
  await one.stop();
  await vi.waitFor(() => expect(relays.status()[0]?.connected).toBe(false), 2000);
  takeIn(mintA, 16);
  await box.flush();
  expect(box.waiting()).toEqual({ events: 1, proofs: 0 });
  const stored = book.prepare("SELECT event_id FROM wallet_events ORDER BY event_id").pluck().all();

  box.stop();
  relays.close();
  const after = outbox(await connect(one));
  await one.start();
  await vi.waitFor(async () => {
    await after.flush();
    expect(after.waiting()).toEqual({ events: 0, proofs: 0 });
  }, 3000);
  const ids = () => one.events().map(({ id }) => id);
  await vi.waitFor(() => expect(ids().sort()).toEqual(stored), 2000);
});

test("no event waits for another: one relay refuses the first for good, one hangs, the rest goes on", async () => {
  const [refuses, hangs, takes] = [await relay(), await relay(), await relay()];
  hangs.policy = () => "hang";
  refuses.policy = () => ({ refuse: "blocked: too large" });
  const box = outbox(await connect(refuses, hangs, takes));
  takeIn(mintA, 1);
  const first = box.flush();
  await vi.waitFor(() => expect(tokensAt(takes)).toHaveLength(1), 2000);
  takeIn(mintA, 2);
  refuses.policy = () => "accept";
  let firstHasEnded = false;
  void first.then(() => {
    firstHasEnded = true;
  });
  const second = box.flush();
  await vi.waitFor(() => expect(tokensAt(takes)).toHaveLength(2), 2000);
  expect(firstHasEnded).toBe(false);
  await Promise.all([first, second]);
  expect(box.waiting()).toEqual({ events: 0, proofs: 0 });

  // The refused one is not offered there again; the hanging relay gets both as soon as its pause is over.
  hangs.policy = () => "accept";
  skewSeconds = 60;
  await box.flush();
  expect(tokensAt(refuses)).toHaveLength(1);
  expect(await balanceElsewhere(hangs)).toEqual({ [mintA]: 3 });
});

test("the pause grows with each attempt, to ten minutes", async () => {
  const one = await relay();
  let offered = 0;
  one.policy = (event) => {
    if (event.kind === TOKEN_KIND) offered += 1;
    return { refuse: "error: disk is full" };
  };
  const box = outbox(await connect(one));
  takeIn(mintA, 1);
  const pauses: number[] = [];
  for (let attempt = 1; attempt <= 12; attempt++) {
    await box.flush();
    await box.flush();
    expect(offered).toBe(attempt);
    const next = book
      .prepare(
        "SELECT next_attempt_at FROM wallet_event_relays JOIN wallet_events USING (event_id) WHERE kind = 7375",
      )
      .pluck()
      .get() as number;
    pauses.push(next - clock.now());
    skewSeconds += next - clock.now();
  }
  expect(pauses[0]).toBeLessThanOrEqual(5);
  expect(pauses.at(-1)).toBeGreaterThan(595);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(600);
  expect(box.waiting().events).toBe(1);
});

test("a clock that ran ahead and came back holds nothing up", async () => {
  const one = await relay();
  one.policy = () => ({ refuse: "error: not now" });
  const box = outbox(await connect(one));
  takeIn(mintA, 1);
  skewSeconds = 10 * 365 * 86_400;
  await box.flush();
  one.policy = () => "accept";
  skewSeconds = 0;
  await box.flush();
  expect(tokensAt(one)).toHaveLength(1);
});

test("events that no relay took go to a relay that is new in the configuration", async () => {
  const [former, present] = [await relay(), await relay()];
  former.policy = () => ({ refuse: "blocked: closed" });
  const box = outbox(await connect(former));
  takeIn(mintA, 5);
  await box.flush();
  expect(box.waiting().events).toBe(1);
  box.stop();
  const after = outbox(await connect(present));
  await after.flush();
  expect(await balanceElsewhere(present)).toEqual({ [mintA]: 5 });
});

test("history: one for each token event, with the sum that came in, told to the same relays", async () => {
  const one = await relay();
  const box = outbox(await connect(one));
  takeIn(mintA, 1, 64);
  await box.flush();
  const [token] = tokensAt(one);
  const [history] = historyAt(one);
  if (token === undefined || history === undefined) throw new Error("not published");
  expect(history.tags).toEqual([]);
  const plain: unknown = JSON.parse(decrypt(history.content, getConversationKey(secretKey, pubkeyHex)));
  expect(plain).toEqual([
    ["direction", "in"],
    ["amount", "65"],
    ["unit", "sat"],
    ["e", token.id, "", "created"],
  ]);
  const read = await NDKCashuWalletTx.from(toNdkEvent(createSigningNdk(secretKey), history));
  expect(read).toMatchObject({ direction: "in", amount: 65, unit: "sat" });
});

test("history that hangs or is refused holds no proof up, and is not said to wait", async () => {
  const one = await relay();
  one.policy = ({ kind }) => (kind === HISTORY_KIND ? "hang" : "accept");
  const box = outbox(await connect(one));
  const flushes: Promise<void>[] = [];
  for (let amount = 1; amount <= 25; amount++) {
    takeIn(mintA, amount);
    flushes.push(box.flush());
    await vi.waitFor(() => expect(tokensAt(one)).toHaveLength(amount), 1000);
  }
  await Promise.all(flushes);
  expect(box.waiting()).toEqual({ events: 0, proofs: 0 });
  one.policy = () => "accept";
  skewSeconds = 60;
  await box.flush();
  expect(historyAt(one)).toHaveLength(25);
});

test("a proof that cannot be written does not hold up its neighbours", async () => {
  const one = await relay();
  const box = outbox(await connect(one));
  takeIn(mintA, 1, 2, 4, 8, 16);
  book.prepare("UPDATE proofs SET secret = ? WHERE amount_sat = 4").run("x".repeat(70_000));
  await box.flush();
  expect(await balanceElsewhere(one)).toEqual({ [mintA]: 27 });
  expect(box.waiting()).toEqual({ events: 0, proofs: 1 });
});

test("what a `del` or a kind 5 names is not counted, nor one proof twice", async () => {
  const [one, other] = [await relay(), await relay()];
  const proof = (amountSat: number) => ({
    keysetId: "00",
    amountSat,
    secret: `s${amountSat}`,
    C: `02${amountSat}`,
  });
  const [spent, merged, kept, copy] = [
    await codec.tokenEvent(mintA, [proof(1)], 11),
    await codec.tokenEvent(mintA, [proof(2)], 12),
    await codec.tokenEvent(mintA, [proof(4)], 13),
    await codec.tokenEvent(mintA, [proof(4), proof(8)], 14),
  ];
  const sign = (kind: number, tags: string[][], content: string) =>
    finalizeEvent({ kind, created_at: 20, tags, content }, secretKey);
  const change = {
    mint: mintA,
    unit: "sat",
    proofs: [{ id: "00", amount: 16, secret: "c", C: "0216" }],
    del: [merged.id],
  };
  const own = getConversationKey(secretKey, pubkeyHex);
  const events = [spent, merged, kept, copy, sign(TOKEN_KIND, [], encrypt(JSON.stringify(change), own))];
  const relays = await connect(one, other);
  for (const event of events) await relays.publish(event, { deadlineMs: 500, only: [other.url] });
  expect(await balanceElsewhere(one, other)).toEqual({ [mintA]: 1 + 4 + 8 + 16 });
  // Only this relay hears of the deletion; the other one still shows what it names.
  await relays.publish(sign(5, [["e", spent.id]], ""), { deadlineMs: 500, only: [one.url] });
  expect(await balanceElsewhere(one, other)).toEqual({ [mintA]: 4 + 8 + 16 });
});

test("an acknowledgement that comes late to a full disk ends nothing", async () => {
  const urls = ["ws://relay.example"];
  let late: ((answer: RelayAnswer) => void) | undefined;
  const relays: OutboxOptions["relays"] = {
    urls,
    status: () => urls.map((url) => ({ url, connected: true })),
    publish: async (event, { onLate }) => {
      if (event.kind === TOKEN_KIND) late = onLate;
      return urls.map((url) => ({ url, kind: "no-answer", why: "not yet" }));
    },
  };
  const box = outbox(relays);
  takeIn(mintA, 1);
  await box.flush();
  book.pragma("query_only = ON");
  late?.({ url: "ws://relay.example", kind: "acknowledged" });
  expect(box.waiting()).toEqual({ events: 1, proofs: 0 });
  book.pragma("query_only = OFF");
  late?.({ url: "ws://relay.example", kind: "acknowledged" });
  expect(box.waiting()).toEqual({ events: 0, proofs: 0 });
});

test("no line of the log holds a secret", () => {
  const output = log.join("");
  expect(output).toMatch(/wallet-event-stored/);
  expect(output).not.toContain(Buffer.from(secretKey).toString("hex"));
  expect(output).not.toMatch(/secret-0|xxxxx/);
});
