import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../clock.ts";
import type { Config } from "../../config/types.ts";
import { connectRelays, type Relays } from "../../nostr/relays.ts";
import { startRelay, type TestRelay } from "../../testing/relay.ts";
import { HISTORY_KIND, TOKEN_KIND, WALLET_KIND } from "../../wallet/codec.ts";
import type { Subject } from "../subject.ts";
import { DELETION_KIND, readWalletEvents } from "./wallet-events.ts";
import { writePolicy } from "./write-policy.ts";

const secretKey = generateSecretKey();
let full: TestRelay;
let empty: TestRelay;
let relays: Relays;

beforeEach(async () => {
  [full, empty] = [await startRelay(), await startRelay()];
  const urls = [full.url, empty.url];
  relays = await connectRelays({ urls, secretKey, clock: systemClock, logger: pino({ level: "silent" }) });
});
afterEach(async () => {
  relays.close();
  await Promise.all([full.stop(), empty.stop()]);
});

let createdAt = systemClock.now() - 1000;
async function keep(kind: number, tags: string[][] = []) {
  createdAt += 1;
  const event = finalizeEvent({ kind, created_at: createdAt, tags, content: "" }, secretKey);
  await relays.publish(event, { deadlineMs: 5_000, only: [full.url] });
  return event;
}

function look() {
  const pubkey = getPublicKey(secretKey);
  const subject = {
    config: { cashu: {}, nostr: { pubkey } } as unknown as Config,
    configPath: "/config.toml",
    relays: async () => relays,
    walletEvents: () => readWalletEvents(relays, pubkey),
  };
  return writePolicy.look(subject as unknown as Subject);
}

it("sends a relay the newest of each kind that it lacks, the same bytes, and nothing else", async () => {
  const walletEvent = await keep(WALLET_KIND);
  await keep(TOKEN_KIND);
  const newest = await keep(TOKEN_KIND);
  const history = await keep(HISTORY_KIND);
  expect(await look()).toMatchObject([{ status: "ok" }, { status: "ok" }]);
  const ids = empty.events().map(({ id }) => id);
  expect(new Set(ids)).toEqual(new Set([walletEvent.id, newest.id, history.id]));
  expect(full.events()).toHaveLength(4);
});

it("never sends what was deleted: it would come back to life there", async () => {
  await keep(WALLET_KIND);
  const spent = await keep(TOKEN_KIND);
  createdAt += 1;
  const deletion = finalizeEvent(
    { kind: DELETION_KIND, created_at: createdAt, tags: [["e", spent.id]], content: "" },
    secretKey,
  );
  await relays.publish(deletion, { deadlineMs: 5_000, only: [empty.url] });
  const found = await look();
  expect(new Set(empty.events().map(({ kind }) => kind))).toEqual(new Set([DELETION_KIND, WALLET_KIND]));
  expect(found).toMatchObject([{ status: "ok" }, { seen: expect.stringContaining("of kind 7375, 7376") }]);
});

it("names the kinds that a relay refuses, in its own words", async () => {
  await keep(WALLET_KIND);
  await keep(TOKEN_KIND);
  empty.policy = ({ kind }) => (kind === TOKEN_KIND ? { refuse: "blocked: not here" } : "accept");
  expect(await look()).toMatchObject([
    { status: "ok" },
    { status: "warn", seen: expect.stringContaining('7375 ("blocked: not here")') },
  ]);
});
