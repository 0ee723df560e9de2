import NDK, { giftUnwrap, NDKEvent, NDKPrivateKeySigner } from "@nostr-dev-kit/ndk";
import { unwrapEvent } from "nostr-tools/nip17";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import type { NoteCarrier } from "../notes/note-outbox.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { createPrivateMessages } from "./private-messages.ts";
import { connectRelays, type Relays } from "./relays.ts";

const INBOX_KIND = 10_050;
const operatorKey = generateSecretKey();
const recipientKey = generateSecretKey();
const recipient = getPublicKey(recipientKey);
const logger = pino({ level: "silent" });

let ours: TestRelay;
let second: TestRelay;
let inbox: TestRelay;
let relays: Relays;
let messages: NoteCarrier;
let atMs: number;

beforeEach(async () => {
  [ours, second, inbox] = await Promise.all([startRelay(), startRelay(), startRelay()]);
  relays = await connectRelays({
    urls: [ours.url, second.url],
    secretKey: operatorKey,
    clock: systemClock,
    logger,
  });
  atMs = 0;
  messages = createPrivateMessages({
    relays,
    secretKey: operatorKey,
    recipient,
    clock: systemClock,
    nowMs: () => atMs,
    logger,
    deadlineMs: 5_000,
  });
});

afterEach(async () => {
  relays.close();
  await Promise.all([ours.stop(), second.stop(), inbox.stop()]);
});

/** The recipient's list of relays, as his client publishes it. */
async function listInbox(urls: readonly string[], createdAt = systemClock.now()): Promise<void> {
  const tags = urls.map((url) => ["relay", url]);
  const list = finalizeEvent({ kind: INBOX_KIND, created_at: createdAt, tags, content: "" }, recipientKey);
  await relays.publish(list, { deadlineMs: 2_000, only: [ours.url] });
}

const wrapsAt = (relay: TestRelay) => relay.events().filter(({ kind }) => kind === 1059);
const send = (text: string) => messages.deliver(messages.wrap(text));

describe("a message", () => {
  it("is read by nostr-tools, and tells nobody else who wrote to whom what", async () => {
    expect(await send("the disk is full")).toEqual({ acknowledged: 2, asked: 2, isHopeless: false });
    const [wrap] = wrapsAt(ours);
    if (!wrap) throw new Error("nothing came");
    expect(unwrapEvent(wrap, recipientKey)).toMatchObject({
      kind: 14,
      content: "the disk is full",
      pubkey: getPublicKey(operatorKey),
      tags: [["p", recipient]],
    });
    expect(wrap.pubkey).not.toBe(getPublicKey(operatorKey));
    expect(JSON.stringify(wrap)).not.toContain("disk");
  });

  it("is read by NDK", async () => {
    await send("the disk is full");
    const ndk = new NDK();
    const event = new NDKEvent(ndk, wrapsAt(ours)[0]);
    const rumor = await giftUnwrap(event, undefined, new NDKPrivateKeySigner(recipientKey));
    expect(rumor).toMatchObject({ kind: 14, content: "the disk is full", pubkey: getPublicKey(operatorKey) });
  });
});

describe("goes", () => {
  it("to the relays of the recipient's kind 10050 alone, and lets go of them", async () => {
    await listInbox(["wss://old.example"], systemClock.now() - 100);
    await listInbox([inbox.url, "not a relay", "ws://user:password@relay.example"]);
    expect(await send("hello")).toEqual({ acknowledged: 1, asked: 1, isHopeless: false });
    expect([ours, second, inbox].map((relay) => wrapsAt(relay).length)).toEqual([0, 0, 1]);
    await expect.poll(() => inbox.connections()).toBe(0);
  });

  it("to those of them that are ours over the connection that stands", async () => {
    await listInbox([inbox.url, `${second.url}/`]);
    const before = second.connections();
    expect(await send("hello")).toMatchObject({ acknowledged: 2, asked: 2 });
    expect([ours, second, inbox].map((relay) => wrapsAt(relay).length)).toEqual([0, 1, 1]);
    expect(second.connections()).toBe(before);
  });

  it("to a relay that wants authentication", async () => {
    inbox.requireAuth = true;
    await listInbox([inbox.url]);
    expect(await send("hello")).toMatchObject({ acknowledged: 1 });
  });

  it("to five of a long list", async () => {
    await listInbox(Array.from({ length: 40 }, (_, n) => `ws://127.0.0.1:1/${n}`));
    expect(await send("hello")).toMatchObject({ acknowledged: 0, asked: 5 });
  });

  it("where the list said within the last hour, then where it says", async () => {
    await listInbox([inbox.url], systemClock.now() - 10);
    await send("first");
    await listInbox([second.url]);
    await send("second");
    atMs += 3_600_000;
    await send("third");
    expect([ours, second, inbox].map((relay) => wrapsAt(relay).length)).toEqual([0, 1, 2]);
  });

  it("to ours while nobody knows the list, and looks again", async () => {
    await listInbox([inbox.url]);
    ours.mute = true;
    const first = messages.deliver(messages.wrap("hello"));
    expect(await first).toMatchObject({ acknowledged: 1, asked: 2 });
    ours.mute = false;
    expect(await send("again")).toMatchObject({ acknowledged: 1, asked: 1 });
    expect(wrapsAt(inbox)).toHaveLength(1);
  }, 30_000);
});

it("says when it is hopeless, and when it is not", async () => {
  ours.policy = () => ({ refuse: "blocked: no strangers" });
  second.policy = () => ({ refuse: "error: not now" });
  expect(await send("hello")).toEqual({ acknowledged: 0, asked: 2, isHopeless: false });
  second.policy = () => ({ refuse: "blocked: no strangers" });
  expect(await send("hello")).toMatchObject({ isHopeless: true });
});
