import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import pino from "pino";
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "../clock.ts";
import { firstValue, type NostrEvent } from "../protocol/event.ts";
import { buildListing, type Listing } from "../protocol/listing.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { type FirstPublished, firstPublishedIn } from "./first-published.ts";
import {
  createListingPublisher,
  type ListingPublisherOptions,
  type Retirement,
} from "./listing-publisher.ts";
import { connectRelays, type Relays } from "./relays.ts";

const secretKey = generateSecretKey();
const pubkeyHex = getPublicKey(secretKey);
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
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
    logger: pino({ level: "silent" }),
    connectDeadlineMs: 200,
    retryMs: { first: 30, longest: 60 },
  });
  closing.push(() => relays.close());
  return relays;
}

function bookOfFacts(): FirstPublished {
  const facts = new Map<string, string>();
  return firstPublishedIn({
    get: (name) => facts.get(name),
    set: (name, value) => void facts.set(name, value),
  });
}

const neverRetired: Retirement = {
  isRetired: () => false,
  isSigned: () => false,
  deletion: () => undefined,
  signed: () => {},
};

const listing: Listing = {
  dTag: "exit-1",
  title: "Exit",
  content: "# An exit",
  protocols: ["wireguard"],
  topics: [],
  prices: [{ amount: 10, currency: "sat", unit: "hour" }],
  paymentMethods: [],
  status: "active",
  policies: [],
};

function publish(relays: Relays, options: Partial<ListingPublisherOptions> = {}) {
  const log: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const publisher = createListingPublisher({
    relays,
    pubkeyHex,
    sign: (template) => finalizeEvent(template, secretKey),
    currentListing: () => listing,
    dTag: listing.dTag,
    retirement: neverRetired,
    firstPublished: bookOfFacts(),
    clock: systemClock,
    logger: pino(sink),
    refreshMs: 3_600_000,
    retryMs: { first: 60, longest: 120 },
    deadlineMs: 250,
    ...options,
  });
  closing.push(() => publisher.stop());
  publisher.start();
  const logged = (event: string) => log.filter((line) => line.event === event);
  return { publisher, logged };
}

test("published at start, with what each relay said", async () => {
  const [one, refuses, mute] = [await relay(), await relay(), await relay()];
  refuses.policy = () => ({ refuse: "blocked: no listings here" });
  mute.mute = true;
  const { logged } = publish(await connect(one, refuses, mute));
  await vi.waitFor(() => expect(logged("listing-published")).toHaveLength(1), 2000);
  expect(logged("listing-published")[0]).toMatchObject({
    acknowledged: 1,
    total: 3,
    others: [
      { relay: refuses.url, said: "blocked: no listings here" },
      { relay: mute.url, said: "no answer within 250 ms" },
    ],
  });
  expect(one.events()).toMatchObject([{ kind: 30402, pubkey: pubkeyHex, content: "# An exit" }]);
});

test("a relay that lacks it is tried again, the same event, until it takes it; one that refused for good is not", async () => {
  const [one, later, never] = [await relay(), await relay(), await relay()];
  let asked = 0;
  never.policy = () => {
    asked += 1;
    return { refuse: "blocked: no" };
  };
  await later.stop();
  const { logged } = publish(await connect(one, later, never));
  await vi.waitFor(() => expect(one.events()).toHaveLength(1), 2000);
  await later.start();
  await vi.waitFor(
    () => expect(logged("listing-published").at(-1)).toMatchObject({ acknowledged: 2, total: 3 }),
    3000,
  );
  expect(later.events()).toEqual(one.events());
  expect(asked).toBe(1);
});

test("no relay answers: it is said, and published when one comes", async () => {
  const one = await relay();
  await one.stop();
  const { logged } = publish(await connect(one));
  await vi.waitFor(() => expect(logged("listing-publish-failed").length).toBeGreaterThan(0), 2000);
  await one.start();
  await vi.waitFor(() => expect(logged("listing-published")).toHaveLength(1), 3000);
});

test("published_at is of the first time, over restarts, from the book or from the relay", async () => {
  const one = await relay();
  const old = finalizeEvent(
    { ...buildListing({ ...listing, publishedAt: 1_600_000_000 }), created_at: systemClock.now() - 1000 },
    secretKey,
  );
  const relays = await connect(one);
  await relays.publish(old, { deadlineMs: 500 });

  const firstPublished = bookOfFacts();
  const { publisher, logged } = publish(relays, { firstPublished });
  await vi.waitFor(() => expect(logged("listing-published")).toHaveLength(1), 2000);
  expect(one.events()).toHaveLength(1);
  expect(firstValue(one.events()[0] ?? old, "published_at")).toBe("1600000000");
  expect(firstPublished.get("exit-1")).toBe(1_600_000_000);
  publisher.stop();

  const empty = await relay();
  const again = publish(await connect(empty), { firstPublished });
  await vi.waitFor(() => expect(again.logged("listing-published")).toHaveLength(1), 2000);
  expect(firstValue(empty.events()[0] ?? old, "published_at")).toBe("1600000000");
  expect(firstPublished.get("another")).toBeUndefined();
});

test("created_at is beyond what stands on the relay, also when that is of this very second or ahead", async () => {
  const one = await relay();
  const relays = await connect(one);
  const ahead = systemClock.now() + 500;
  await relays.publish(finalizeEvent({ ...buildListing(listing), created_at: ahead }, secretKey), {
    deadlineMs: 500,
  });
  const { logged } = publish(relays, { currentListing: () => ({ ...listing, title: "New" }) });
  await vi.waitFor(() => expect(logged("listing-published")).toHaveLength(1), 2000);
  expect(one.events()).toMatchObject([{ created_at: ahead + 1 }]);
});

test("refreshed in time, each later than the one before, also twice in one second", async () => {
  const one = await relay();
  const times: number[] = [];
  one.policy = (event) => {
    times.push(event.created_at);
    return "accept";
  };
  publish(await connect(one), { refreshMs: 60 });
  await vi.waitFor(() => expect(times.length).toBeGreaterThan(4), 3000);
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  expect(one.events()[0]?.created_at).toBe(times.at(-1));
});

test("at most one change goes out in the gap, the last state wins, and no change is no event", async () => {
  const one = await relay();
  const seen: (string | undefined)[] = [];
  one.policy = (event) => {
    seen.push(event.tags.find(([name]) => name === "title")?.[1]);
    return "accept";
  };
  let title = "first";
  const { publisher } = publish(await connect(one), {
    currentListing: () => ({ ...listing, title }),
    minChangeGapMs: 500,
  });
  await vi.waitFor(() => expect(seen).toEqual(["first"]), 2000);
  publisher.changed();
  await sleep(100);
  expect(seen).toEqual(["first"]);
  for (title of ["second", "third", "fourth"]) publisher.changed();
  await sleep(150);
  expect(seen).toEqual(["first"]);
  await vi.waitFor(() => expect(seen).toEqual(["first", "fourth"]), 2000);
  await sleep(600);
  title = "fifth";
  publisher.changed();
  await vi.waitFor(() => expect(seen).toEqual(["first", "fourth", "fifth"]), 400);
});

test("a change that is taken back within the gap is never seen", async () => {
  const one = await relay();
  let events = 0;
  one.policy = () => {
    events += 1;
    return "accept";
  };
  let status: Listing["status"] = "active";
  const { publisher } = publish(await connect(one), {
    currentListing: () => ({ ...listing, status }),
    minChangeGapMs: 200,
  });
  await vi.waitFor(() => expect(events).toBe(1), 2000);
  status = "sold";
  publisher.changed();
  await sleep(50);
  status = "active";
  publisher.changed();
  await sleep(400);
  expect(events).toBe(1);
});

test("nothing to offer: nothing published, said once; published when there is something", async () => {
  const one = await relay();
  let offered: Listing | undefined;
  const { publisher, logged } = publish(await connect(one), { currentListing: () => offered });
  for (let poke = 0; poke < 5; poke++) {
    publisher.changed();
    await sleep(20);
  }
  expect(logged("listing-withheld")).toHaveLength(1);
  expect(one.events()).toEqual([]);
  offered = listing;
  publisher.changed();
  await vi.waitFor(() => expect(logged("listing-published")).toHaveLength(1), 2000);
});

test("a listing that cannot be built is said and ends nothing", async () => {
  const one = await relay();
  let amount = -1;
  const { publisher, logged } = publish(await connect(one), {
    currentListing: () => ({ ...listing, prices: [{ amount, currency: "sat", unit: "hour" }] }),
  });
  await vi.waitFor(() => expect(logged("listing-publish-failed").length).toBeGreaterThan(0), 2000);
  amount = 1;
  publisher.changed();
  await vi.waitFor(() => expect(logged("listing-published")).toHaveLength(1), 2000);
});

test("stopped, nothing goes out any more", async () => {
  const one = await relay();
  const { publisher, logged } = publish(await connect(one), { refreshMs: 50 });
  await vi.waitFor(() => expect(logged("listing-published").length).toBeGreaterThan(0), 2000);
  publisher.stop();
  await sleep(100);
  const count = logged("listing-published").length;
  publisher.changed();
  await sleep(200);
  expect(logged("listing-published")).toHaveLength(count);
});

/** Retired, and the request kept, as the book would. */
function retirementNow(start = false): Retirement & { retired: boolean } {
  let kept: NostrEvent | undefined;
  return {
    retired: start,
    isRetired() {
      return this.retired;
    },
    isSigned: () => kept !== undefined,
    deletion: () => kept,
    signed: (deletion) => {
      kept = deletion;
    },
  };
}

test("by the operator's word it goes out at once, within the gap, and says what each relay made of it", async () => {
  const [one, refuses] = [await relay(), await relay()];
  let title = "first";
  const { publisher } = publish(await connect(one, refuses), {
    currentListing: () => ({ ...listing, title }),
  });
  await vi.waitFor(() => expect(one.events()).toHaveLength(1), 2000);
  const before = one.events()[0]?.created_at ?? 0;
  refuses.policy = () => ({ refuse: "blocked: no listings here" });
  title = "second";
  expect(await publisher.publishNow()).toEqual({
    status: "active",
    relays: [
      { url: one.url, taken: true, said: "acknowledged" },
      { url: refuses.url, taken: false, said: "blocked: no listings here" },
    ],
  });
  const [event] = one.events();
  expect(firstValue(event ?? ({} as NostrEvent), "title")).toBe("second");
  expect(event?.created_at).toBeGreaterThan(before);
  const [again, twice] = await Promise.all([publisher.publishNow(), publisher.publishNow()]);
  expect([again, twice]).toMatchObject([{ status: "active" }, { status: "active" }]);
});

test("what cannot go out is said to who asks for it", async () => {
  const one = await relay();
  const relays = await connect(one);
  const { publisher } = publish(relays, { currentListing: () => undefined });
  expect(await publisher.publishNow()).toEqual({ failed: "no payment method is ready to be offered" });
  await one.stop();
  const { publisher: alone } = publish(relays);
  expect(await alone.publishNow()).toEqual({ failed: "no relay answers" });
});

test("retired: the listing goes from the relays, by one request, also one from a clock ahead; and comes back after it", async () => {
  const [one, late] = [await relay(), await relay()];
  const relays = await connect(one, late);
  const ahead = finalizeEvent({ ...buildListing(listing), created_at: systemClock.now() + 500 }, secretKey);
  await relays.publish(ahead, { deadlineMs: 500 });
  await late.stop();
  const retirement = retirementNow(true);
  const { publisher, logged } = publish(relays, { retirement });
  await vi.waitFor(() => expect(logged("listing-retired")).toHaveLength(1), 2000);
  expect(one.events()).toMatchObject([{ kind: 5, created_at: ahead.created_at }]);
  await late.start();
  await vi.waitFor(() => expect(logged("listing-retired")).toHaveLength(2), 3000);
  expect(late.events()).toEqual(one.events());
  publisher.stop();

  const restarted = publish(relays, { retirement });
  expect(await restarted.publisher.publishNow()).toMatchObject({ status: "retired" });
  expect(one.events()).toHaveLength(1);
  restarted.publisher.stop();

  retirement.retired = false;
  const { publisher: third } = publish(relays, { retirement });
  expect(await third.publishNow()).toMatchObject({
    status: "active",
    relays: [{ taken: true }, { taken: true }],
  });
  expect(
    one
      .events()
      .map(({ kind }) => kind)
      .sort(),
  ).toEqual([30402, 5]);
});
