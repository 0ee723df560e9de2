import { createServer } from "node:net";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import pino from "pino";
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "../clock.ts";
import { startRelay, type TestRelay, type TestRelayOptions } from "../testing/relay.ts";
import type { RelayAnswer } from "./relay-answer.ts";
import { connectRelays, type RelaysOptions } from "./relays.ts";

const secretKey = generateSecretKey();
const pubkey = getPublicKey(secretKey);
const closing: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function relay(options?: TestRelayOptions): Promise<TestRelay> {
  const started = await startRelay(options);
  closing.push(() => started.stop());
  return started;
}

async function connect(urls: string[], options: Partial<RelaysOptions> = {}) {
  const relays = await connectRelays({
    urls,
    secretKey,
    clock: systemClock,
    logger: pino({ level: "silent" }),
    connectDeadlineMs: 500,
    retryMs: { first: 50, longest: 100 },
    ...options,
  });
  closing.push(() => relays.close());
  return relays;
}

/** A port that nothing listens on. */
async function deadUrl(): Promise<string> {
  const gone = await startRelay();
  await gone.stop();
  return gone.url;
}

const note = (content: string, created_at = systemClock.now()) =>
  finalizeEvent({ kind: 1, created_at, tags: [], content }, secretKey);

test("one answer for each relay: takes, refuses, hangs, is mute, is dead", async () => {
  const [takes, refuses, hangs, mute] = await Promise.all([relay(), relay(), relay(), relay()]);
  refuses.policy = () => ({ refuse: "blocked: not you" });
  hangs.policy = () => "hang";
  mute.mute = true;
  const dead = await deadUrl();
  const relays = await connect([takes.url, refuses.url, hangs.url, mute.url, dead]);

  const event = note("hello");
  expect(await relays.publish(event, { deadlineMs: 300 })).toEqual([
    { url: takes.url, kind: "acknowledged" },
    { url: refuses.url, kind: "refused", said: "blocked: not you", permanent: true },
    { url: hangs.url, kind: "no-answer", why: "no answer within 300 ms" },
    { url: mute.url, kind: "no-answer", why: "no answer within 300 ms" },
    { url: dead, kind: "no-answer", why: "could not connect" },
  ]);
  expect(takes.events().map(({ id }) => id)).toEqual([event.id]);
  expect(relays.status().map(({ connected }) => connected)).toEqual([true, true, true, true, false]);
});

test("returns at the first acknowledgement, and tells the later ones", async () => {
  const [first, second] = await Promise.all([relay(), relay()]);
  const relays = await connect([first.url, second.url]);
  await second.stop();
  const late: RelayAnswer[] = [];
  const startedAt = performance.now();
  const publishing = relays.publish(note("x"), { deadlineMs: 5000, need: 1, onLate: (a) => late.push(a) });
  const answers = await publishing;
  expect(performance.now() - startedAt).toBeLessThan(1000);
  expect(answers).toEqual([
    { url: first.url, kind: "acknowledged" },
    { url: second.url, kind: "no-answer", why: "not waited for" },
  ]);
  await second.start();
  await vi.waitFor(() => expect(late).toEqual([{ url: second.url, kind: "acknowledged" }]), 3000);
});

test("an acknowledgement after the deadline is told once", async () => {
  const slow = await relay();
  const relays = await connect([slow.url]);
  slow.policy = () => "hang";
  const event = note("slow");
  const late: RelayAnswer[] = [];
  const [answer] = await relays.publish(event, { deadlineMs: 100, onLate: (a) => late.push(a) });
  expect(answer?.kind).toBe("no-answer");
  slow.policy = () => "accept";
  await relays.publish(event, { deadlineMs: 1000 });
  expect(late).toEqual([{ url: slow.url, kind: "acknowledged" }]);
});

test("the same event again is acknowledged, several at a time too", async () => {
  const one = await relay();
  const relays = await connect([one.url]);
  const event = note("twice");
  const answers = await Promise.all([1, 2, 3].map(() => relays.publish(event, { deadlineMs: 1000 })));
  expect(answers.flat().map(({ kind }) => kind)).toEqual(Array(3).fill("acknowledged"));
  expect(one.events()).toHaveLength(1);
});

test("a relay that was dead at start is used when it comes up", async () => {
  const late = await relay();
  await late.stop();
  const relays = await connect([late.url]);
  expect(relays.status()).toEqual([{ url: late.url, connected: false }]);
  await late.start();
  await vi.waitFor(() => expect(relays.status()[0]?.connected).toBe(true), 3000);
  expect((await relays.publish(note("now"), { deadlineMs: 1000 }))[0]?.kind).toBe("acknowledged");
});

test("a relay that restarts again and again comes back each time", async () => {
  const flapping = await relay();
  const relays = await connect([flapping.url]);
  for (let round = 0; round < 7; round++) {
    await flapping.stop();
    await vi.waitFor(() => expect(relays.status()[0]?.connected).toBe(false), 3000);
    await flapping.start();
    await vi.waitFor(() => expect(relays.status()[0]?.connected).toBe(true), 3000);
  }
  expect(flapping.connections()).toBe(1);
});

test("a port that accepts and says nothing holds nobody up", async () => {
  const sockets = createServer(() => undefined);
  await new Promise<void>((resolve) => sockets.listen(0, "127.0.0.1", resolve));
  const address = sockets.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  closing.push(() => void sockets.close());
  const url = `ws://127.0.0.1:${address.port}`;
  const relays = await connect([url]);
  const [answer] = await relays.publish(note("x"), { deadlineMs: 200 });
  expect(answer).toEqual({ url, kind: "no-answer", why: "could not connect" });
});

test("no relay asked: nothing is sent anywhere", async () => {
  const one = await relay();
  const relays = await connect([one.url]);
  expect(await relays.publish(note("x"), { deadlineMs: 200, only: [] })).toEqual([]);
  expect(await relays.publish(note("x"), { deadlineMs: 200, only: ["ws://elsewhere.example"] })).toEqual([]);
  expect(one.events()).toEqual([]);
});

test("a relay in two spellings is one", async () => {
  const one = await relay();
  const relays = await connect([one.url, `${one.url}/`, one.url.toUpperCase()]);
  expect(await relays.publish(note("x"), { deadlineMs: 500 })).toHaveLength(1);
  expect(one.connections()).toBe(1);
});

test("each relay's events are its own, read beyond the relay's cap", async () => {
  const [full, empty, mute] = await Promise.all([relay({ maxQueryResults: 7 }), relay(), relay()]);
  mute.mute = true;
  const relays = await connect([full.url, empty.url, mute.url]);
  const now = systemClock.now();
  // Three share each second, so that pages end in the middle of one.
  const events = Array.from({ length: 40 }, (_, index) => note(`n${index}`, now - Math.floor(index / 3)));
  await Promise.all(events.map((event) => relays.publish(event, { deadlineMs: 2000, only: [full.url] })));

  const [a, b, c] = await relays.query({ kinds: [1], authors: [pubkey] }, 300);
  if (a === undefined || !("events" in a)) throw new Error("the full relay was silent");
  expect(a.events.map(({ id }) => id).sort()).toEqual(events.map(({ id }) => id).sort());
  expect(b).toEqual({ url: empty.url, events: [] });
  expect(c).toEqual({ url: mute.url, silent: "no answer within 300 ms" });
});

test("NIP-42: a challenge is answered, for writing and for reading", async () => {
  const guarded = await relay({ requireAuth: true });
  const relays = await connect([guarded.url]);
  const event = note("let me in");
  expect((await relays.publish(event, { deadlineMs: 2000 }))[0]).toEqual({
    url: guarded.url,
    kind: "acknowledged",
  });
  const [found] = await relays.query({ ids: [event.id] }, 2000);
  expect(found).toMatchObject({ events: [{ id: event.id }] });
});

test("NIP-42: a relay that does not take our word is said to", async () => {
  const guarded = await relay({ requireAuth: true });
  const relays = await connect([guarded.url], { clock: { now: () => 1000 } });
  expect((await relays.publish(note("x"), { deadlineMs: 300 }))[0]).toMatchObject({
    kind: "refused",
    said: "auth-required: only for known clients",
    permanent: false,
  });
  expect((await relays.query({ kinds: [1] }, 300))[0]).toMatchObject({
    silent: expect.stringMatching(/auth-required/),
  });
});

test("of two replaceable events in one second the relay keeps the lower id", async () => {
  const one = await relay();
  const relays = await connect([one.url]);
  const now = systemClock.now();
  const pair = ["a", "b"].map((content) =>
    finalizeEvent({ kind: 17375, created_at: now, tags: [], content }, secretKey),
  );
  for (const event of pair) await relays.publish(event, { deadlineMs: 1000 });
  expect(one.events().map(({ id }) => id)).toEqual([pair.map(({ id }) => id).sort()[0]]);
});

test("close ends what is under way, and no socket comes back", async () => {
  const mute = await relay();
  mute.mute = true;
  const relays = await connect([mute.url]);
  const publishing = relays.publish(note("x"), { deadlineMs: 60_000 });
  const querying = relays.query({ kinds: [1] }, 60_000);
  await sleep(50);
  relays.close();
  expect(await publishing).toEqual([{ url: mute.url, kind: "no-answer", why: "closed" }]);
  expect(await querying).toEqual([{ url: mute.url, silent: "closed" }]);
  await vi.waitFor(() => expect(mute.connections()).toBe(0), 3000);
  await sleep(300);
  expect(mute.connections()).toBe(0);
});

test("no output holds the secret key", async () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const consoles = (["log", "warn", "error", "info", "trace"] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation((...words) => void lines.push(words.map(String).join(" "))),
  );
  const one = await relay({ requireAuth: true });
  const relays = await connect([one.url, await deadUrl()], { logger: pino({ level: "trace" }, sink) });
  await relays.publish(note("x"), { deadlineMs: 300 });
  await one.stop();
  await relays.publish(note("y"), { deadlineMs: 300 });
  for (const spy of consoles) spy.mockRestore();
  const output = lines.join("\n");
  expect(output).toMatch(/relay-connected/);
  expect(output).not.toContain(Buffer.from(secretKey).toString("hex"));
  expect(output).not.toContain([...secretKey].slice(0, 8).join(","));
});
