import "websocket-polyfill";
import NDK, { NDKEvent } from "@nostr-dev-kit/ndk";
import type { Event } from "nostr-tools/core";
import { makeAuthEvent } from "nostr-tools/nip42";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startRelay, type TestRelay, type TestRelayOptions } from "./relay.ts";

const secretKey = generateSecretKey();
const pubkey = getPublicKey(secretKey);
const relays: TestRelay[] = [];
const sockets: WebSocket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});

async function relayWith(options?: TestRelayOptions): Promise<TestRelay> {
  const relay = await startRelay(options);
  relays.push(relay);
  return relay;
}

function sign(kind: number, createdAt: number, tags: string[][] = [], content = "", key = secretKey): Event {
  return structuredClone(finalizeEvent({ kind, created_at: createdAt, tags, content }, key));
}

/** A bare client: what it says and, in order, what it hears. */
async function connect(relay: TestRelay) {
  const socket = new WebSocket(relay.url);
  sockets.push(socket);
  const heard: unknown[][] = [];
  let wake = () => {};
  socket.on("message", (data) => {
    heard.push(JSON.parse(data.toString()));
    wake();
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const next = async (type: string): Promise<unknown[]> => {
    for (;;) {
      const index = heard.findIndex(([heardType]) => heardType === type);
      const [message] = index < 0 ? [] : heard.splice(index, 1);
      if (message) return message;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const say = (...message: unknown[]) => socket.send(JSON.stringify(message));
  return {
    socket,
    say,
    next,
    heard,
    async publish(event: Event) {
      say("EVENT", event);
      const [, id, accepted, message] = await next("OK");
      expect(id).toBe(event.id);
      return { accepted, message };
    },
    async query(...filters: object[]): Promise<string[]> {
      say("REQ", "q", ...filters);
      await next("EOSE");
      say("CLOSE", "q");
      const ids = heard.filter(([type]) => type === "EVENT").map(([, , event]) => (event as Event).id);
      heard.length = 0;
      return ids;
    },
  };
}

test("answers a query newest first, lower id first in a tie, up to the limit and the relay's own cap", async () => {
  const relay = await relayWith({ maxQueryResults: 4 });
  const client = await connect(relay);
  const tied = [sign(1, 50, [], "a"), sign(1, 50, [], "b"), sign(1, 50, [], "c")];
  const others = [sign(1, 40), sign(1, 60)];
  for (const event of [...tied, ...others]) expect((await client.publish(event)).accepted).toBe(true);
  const newestFirst = [others[1]?.id, ...tied.map(({ id }) => id).sort(), others[0]?.id];
  expect(await client.query({ kinds: [1] })).toEqual(newestFirst.slice(0, 4));
  expect(await client.query({ kinds: [1], limit: 2 })).toEqual(newestFirst.slice(0, 2));
  expect(await client.query({ kinds: [1], until: 45 })).toEqual([others[0]?.id]);
  expect(await client.query({ kinds: [7] })).toEqual([]);
});

test("keeps only the newest of a replaceable and of an addressable event", async () => {
  const relay = await relayWith();
  const client = await connect(relay);
  const wallet = [sign(17375, 10, [], "old"), sign(17375, 20, [], "new"), sign(17375, 20, [], "same second")];
  const lists = [
    sign(30402, 10, [["d", "x"]], "old"),
    sign(30402, 20, [["d", "x"]]),
    sign(30402, 10, [["d", "y"]]),
  ];
  for (const event of [...wallet, ...lists]) await client.publish(event);
  const winner = [wallet[1]?.id, wallet[2]?.id].sort()[0];
  expect(await client.query({ kinds: [17375] })).toEqual([winner]);
  expect(await client.query({ kinds: [30402] })).toEqual([lists[1]?.id, lists[2]?.id]);
  expect(await client.publish(lists[0] as Event)).toMatchObject({ accepted: false });
});

test("hands ephemeral and new events to live subscriptions, and stores no ephemeral one", async () => {
  const relay = await relayWith();
  const [reader, writer] = [await connect(relay), await connect(relay)];
  reader.say("REQ", "live", { kinds: [1, 20001], authors: [pubkey] });
  await reader.next("EOSE");
  const events = [sign(20001, 10), sign(1, 10)];
  for (const event of events) await writer.publish(event);
  expect(await reader.next("EVENT")).toEqual(["EVENT", "live", events[0]]);
  expect(await reader.next("EVENT")).toEqual(["EVENT", "live", events[1]]);
  expect(relay.events()).toEqual([events[1]]);
  reader.say("CLOSE", "live");
  await reader.query({ kinds: [0] });
  await writer.publish(sign(1, 11));
  expect(await reader.query({ kinds: [0] })).toEqual([]);
});

test("deletes by id and by address for the author alone, and does not take a deleted event again", async () => {
  const relay = await relayWith();
  const client = await connect(relay);
  const note = sign(1, 10);
  const listing = sign(30402, 10, [["d", "x"]]);
  const later = sign(30402, 30, [["d", "x"]]);
  const address = `30402:${pubkey}:x`;
  for (const event of [note, listing]) await client.publish(event);
  await client.publish(
    sign(
      5,
      20,
      [
        ["e", note.id],
        ["a", address],
      ],
      "",
      generateSecretKey(),
    ),
  );
  expect(relay.events()).toHaveLength(3);
  const deletion = sign(5, 20, [
    ["e", note.id],
    ["a", address],
  ]);
  await client.publish(deletion);
  expect(await client.query({ kinds: [1, 30402] })).toEqual([]);
  expect(await client.publish(note)).toMatchObject({ accepted: false });
  expect(await client.publish(listing)).toMatchObject({ accepted: false });
  expect(await client.publish(later)).toMatchObject({ accepted: true });
  expect(await client.query({ kinds: [5], authors: [pubkey] })).toEqual([deletion.id]);
});

test("refuses what is not signed rightly, and takes a duplicate without storing it twice", async () => {
  const relay = await relayWith();
  const client = await connect(relay);
  const event = sign(1, 10);
  const forged = await client.publish({ ...event, content: "other" });
  expect(forged).toEqual({ accepted: false, message: expect.stringMatching(/^invalid:/) });
  await client.publish(event);
  expect(await client.publish(event)).toEqual({
    accepted: true,
    message: expect.stringMatching(/^duplicate:/),
  });
  expect(relay.events()).toEqual([event]);
  client.socket.send("not json");
  expect((await client.next("NOTICE"))[1]).toMatch(/^invalid:/);
});

test("its policy refuses in words, or leaves an event without an answer", async () => {
  const relay = await relayWith();
  relay.policy = ({ kind }) =>
    kind === 7375 ? { refuse: "blocked: no wallets" } : kind === 1 ? "hang" : "accept";
  const client = await connect(relay);
  expect(await client.publish(sign(7375, 10))).toEqual({ accepted: false, message: "blocked: no wallets" });
  client.say("EVENT", sign(1, 10));
  const accepted = sign(0, 10);
  expect(await client.publish(accepted)).toMatchObject({ accepted: true });
  expect(relay.events()).toEqual([accepted]);
});

test("mute, it takes connections and answers nothing", async () => {
  const relay = await relayWith();
  relay.mute = true;
  const client = await connect(relay);
  client.say("REQ", "q", {});
  client.say("EVENT", sign(1, 10));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(client.heard).toEqual([]);
  relay.mute = false;
  expect(await client.query({})).toEqual([]);
});

test("stopped and started again, it listens at the same address with the same events", async () => {
  const relay = await relayWith();
  const { url } = relay;
  const client = await connect(relay);
  const event = sign(1, 10);
  await client.publish(event);
  const closed = new Promise((resolve) => client.socket.once("close", resolve));
  await relay.stop();
  await closed;
  await expect(connect(relay)).rejects.toThrow();
  await relay.start();
  expect(relay.url).toBe(url);
  expect(await (await connect(relay)).query({})).toEqual([event.id]);
});

test("with requireAuth, tells and takes nothing before the challenge is answered (NIP-42)", async () => {
  const relay = await relayWith({ requireAuth: true });
  const client = await connect(relay);
  const [, challenge] = await client.next("AUTH");
  expect((await client.publish(sign(1, 10))).message).toMatch(/^auth-required:/);
  client.say("REQ", "q", {});
  expect((await client.next("CLOSED"))[2]).toMatch(/^auth-required:/);
  const authenticate = async (answer: string) => {
    client.say("AUTH", finalizeEvent(makeAuthEvent(relay.url, answer), secretKey));
    return (await client.next("OK"))[2];
  };
  expect(await authenticate("another challenge")).toBe(false);
  expect(await authenticate(String(challenge))).toBe(true);
  expect((await client.publish(sign(1, 10))).accepted).toBe(true);
});

test("NDK publishes to it and reads it back", async () => {
  const relay = await relayWith();
  const ndk = new NDK({
    explicitRelayUrls: [relay.url],
    enableOutboxModel: false,
    autoConnectUserRelays: false,
  });
  await ndk.connect(2000);
  const event = sign(30402, 10, [["d", "x"]]);
  await new NDKEvent(ndk, event).publish(undefined, 2000);
  const found = await ndk.fetchEvents({ kinds: [30402 as number], authors: [pubkey] });
  for (const ndkRelay of ndk.pool.relays.values()) ndkRelay.disconnect();
  expect([...found].map(({ id }) => id)).toEqual([event.id]);
  expect(relay.events()).toEqual([event]);
});
