import { generateSecretKey } from "nostr-tools/pure";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashToCurveHex } from "../cashu/curve.ts";
import { createWalletWorld, type WalletRun, type WalletWorld } from "../testing/wallet-world.ts";
import { createWalletCodec } from "./codec.ts";
import type { Ask } from "./comparison.ts";

let world: WalletWorld;

beforeEach(async () => {
  world = await createWalletWorld();
});
afterEach(() => world.close());

/** Places with how many proofs are there, of those not known as spent before. */
async function places({ comparison }: WalletRun, ask: Ask = "missing"): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const { places: found } = await comparison.compare(ask);
  for (const place of found.values()) counts[place] = (counts[place] ?? 0) + 1;
  return counts;
}

const spentInBook = () =>
  world.book.prepare("SELECT count(*) FROM proofs WHERE spent_at IS NOT NULL").pluck().get();

test("proofs on the relays are in the wallet, new ones in the outbox, and no mint is asked", async () => {
  const one = await world.relay();
  const run = await world.run(one);
  await world.takeIn(1, 2, 4);
  await run.outbox.flush();
  await world.takeIn(8, 16);
  expect(await places(run)).toEqual({ wallet: 3, outbox: 2 });
  expect(world.mint.requestCount("/v1/checkstate")).toBe(0);
});

describe("another NIP-60 client with the same key", () => {
  test("spends one proof and keeps the rest: the book learns what is spent, and sends nothing", async () => {
    const one = await world.relay();
    const run = await world.run(one);
    const [gone, ...kept] = await world.takeIn(1, 2, 4);
    if (!gone) throw new Error("nothing was minted");
    await run.outbox.flush();
    const [ours] = world.tokensAt(one);
    if (!ours) throw new Error("nothing was published");
    await world.spend([gone]);
    await world.publishElsewhere(one, world.foreignToken(kept, [ours.id]), world.deletion(ours.id));
    expect(await places(run)).toEqual({ spent: 1, wallet: 2 });
    await run.outbox.flush();
    expect(world.tokensAt(one)).toHaveLength(1);
    expect(await world.readElsewhere(one)).toBe(6);
    expect(spentInBook()).toBe(1);
    expect(await places(run)).toEqual({ wallet: 2 });
  });

  test("swaps all of it, merges and deposits: no proof of ours is missing, nothing is brought back", async () => {
    const one = await world.relay();
    const run = await world.run(one);
    const proofs = await world.takeIn(1, 2, 4);
    await run.outbox.flush();
    await world.takeIn(8);
    await run.outbox.flush();
    const [second, first] = world.tokensAt(one);
    if (!first || !second) throw new Error("too few were published");
    const id = world.book.prepare("SELECT event_id FROM proofs WHERE amount_sat = 1").pluck().get() as string;
    const swapped = await world.spend(proofs);
    await world.publishElsewhere(one, world.foreignToken(swapped, [id]), world.deletion(id));
    expect(await places(run)).toEqual({ spent: 3, wallet: 1 });
    await run.outbox.flush();
    expect(await world.readElsewhere(one)).toBe(15);
  });

  test("spends without a word on the relays: only asking about all proofs shows it", async () => {
    const one = await world.relay();
    const run = await world.run(one);
    const proofs = await world.takeIn(1, 2);
    await run.outbox.flush();
    await world.spend(proofs);
    expect(await places(run)).toEqual({ wallet: 2 });
    expect(await places(run, "all")).toEqual({ spent: 2 });
    expect(await places(run, "all")).toEqual({});
    expect(world.mint.requestCount("/v1/checkstate")).toBe(1);
  });

  test("deletes an event whose proofs are unspent: they go into a new one, which names the former", async () => {
    const one = await world.relay();
    const run = await world.run(one);
    await world.takeIn(1, 2);
    await run.outbox.flush();
    const [ours] = world.tokensAt(one);
    if (!ours) throw new Error("nothing was published");
    await world.publishElsewhere(one, world.deletion(ours.id));
    expect(await world.readElsewhere(one)).toBe(0);
    expect(await places(run)).toEqual({ outbox: 2 });
    expect(run.outbox.waiting()).toEqual({ events: 0, proofs: 2 });
    await run.outbox.flush();
    const [anew] = world.tokensAt(one);
    if (!anew) throw new Error("nothing was published");
    expect((await world.codec.readToken(anew))?.replaces).toEqual([ours.id]);
    expect(await world.readElsewhere(one)).toBe(3);
    expect(await places(run)).toEqual({ wallet: 2 });
    // What came in once is told once.
    expect(one.events().filter(({ kind }) => kind === 7376)).toHaveLength(1);
  });
});

describe("a relay that lost everything", () => {
  test("is given the same event again, and meanwhile the proofs are in the outbox", async () => {
    const former = await world.relay();
    await (await world.run(former)).outbox.flush();
    await world.takeIn(1, 2, 4);
    const first = await world.run(former);
    await first.outbox.flush();
    const [ours] = world.tokensAt(former);
    const empty = await world.relay();
    const run = await world.run(empty);
    expect(await places(run)).toEqual({ outbox: 3 });
    expect(run.outbox.waiting()).toEqual({ events: 1, proofs: 0 });
    await run.outbox.flush();
    expect(world.tokensAt(empty).map(({ id }) => id)).toEqual([ours?.id]);
    expect(await places(run)).toEqual({ wallet: 3 });
  });

  test("does not get what was spent meanwhile: the rest goes into a new event", async () => {
    const former = await world.relay();
    const first = await world.run(former);
    const [gone] = await world.takeIn(1, 2, 4);
    if (!gone) throw new Error("nothing was minted");
    await first.outbox.flush();
    await world.spend([gone]);
    const empty = await world.relay();
    const run = await world.run(empty);
    expect(await places(run)).toEqual({ spent: 1, outbox: 2 });
    await run.outbox.flush();
    expect(await world.readElsewhere(empty)).toBe(6);
  });

  test("while another relay that has it is silent: unknown, not wrong, and offered all the same", async () => {
    const [lasting, other] = [await world.relay(), await world.relay()];
    const first = await world.run(lasting);
    await world.takeIn(1, 2);
    await first.outbox.flush();
    const run = await world.run(lasting, other);
    lasting.mute = true;
    expect(await places(run)).toEqual({ unknown: 2 });
    await run.outbox.flush();
    expect(await world.readElsewhere(other)).toBe(3);
    expect(await places(run)).toEqual({ wallet: 2 });
  });
});

describe("silence", () => {
  test("of all relays: unknown, and nothing is sent again", async () => {
    const one = await world.relay();
    const run = await world.run(one);
    await world.takeIn(1, 2);
    await run.outbox.flush();
    await one.stop();
    expect(await places(run)).toEqual({ unknown: 2 });
    expect(await places(run, "all")).toEqual({ unknown: 2 });
    expect(run.outbox.waiting()).toEqual({ events: 0, proofs: 0 });
    // Nor where only a relay that left the configuration has acknowledged it.
    const other = await world.relay();
    await other.stop();
    expect(await places(await world.run(other), "all")).toEqual({ unknown: 2 });
  });

  test("of the mint: missing proofs are unknown, those in the wallet are where they were", async () => {
    const [former, empty] = [await world.relay(), await world.relay()];
    const first = await world.run(former);
    await world.takeIn(1, 2);
    await first.outbox.flush();
    await world.mint.stop();
    expect(await places(first, "all")).toEqual({ wallet: 2 });
    const run = await world.run(empty);
    expect(await places(run)).toEqual({ unknown: 2 });
    expect((await run.comparison.compare("missing")).silentMints).toEqual([world.mint.url]);
    await world.mint.start();
    expect(await places(run)).toEqual({ outbox: 2 });
  });

  test("PENDING is unknown", async () => {
    const [former, empty] = [await world.relay(), await world.relay()];
    const first = await world.run(former);
    const [proof] = await world.takeIn(1);
    if (!proof) throw new Error("nothing was minted");
    await first.outbox.flush();
    world.mint.pendingYs.add(hashToCurveHex(proof.secret));
    expect(await places(await world.run(empty))).toEqual({ unknown: 1 });
  });
});

test("after a change of account, what stands in the former one's events goes into new ones", async () => {
  const one = await world.relay();
  const [proof] = await world.takeIn(4);
  if (!proof) throw new Error("nothing was minted");
  const former = createWalletCodec(generateSecretKey());
  const { secret, C, id: keysetId } = proof;
  const event = await former.tokenEvent(world.mint.url, [{ keysetId, amountSat: 4, secret, C }], 1000);
  world.walletStore.wrapped(event, [hashToCurveHex(secret)], [one.url]);
  world.walletStore.acknowledged(event.id, one.url, 1001);
  const run = await world.run(one);
  expect(await places(run)).toEqual({ outbox: 1 });
  await run.outbox.flush();
  expect(await world.readElsewhere(one)).toBe(4);
  expect(await places(run)).toEqual({ wallet: 1 });
});

test("a comparison that is broken off writes nothing more", async () => {
  const [former, empty] = [await world.relay(), await world.relay()];
  const first = await world.run(former);
  await world.takeIn(1);
  await first.outbox.flush();
  const run = await world.run(empty);
  const stop = new AbortController();
  const comparing = run.comparison.compare("all", stop.signal);
  stop.abort();
  await expect(comparing).rejects.toThrow(/abort/i);
  expect(run.outbox.waiting()).toEqual({ events: 0, proofs: 0 });
});

test("more proofs than one request takes are asked about in several", async () => {
  const one = await world.relay();
  const run = await world.run(one);
  const insert = world.book.prepare(
    "INSERT INTO proofs (y, mint_url, keyset_id, amount_sat, secret, c, taken_at) VALUES (?, ?, '00', 1, ?, '', 1)",
  );
  for (let n = 0; n < 230; n++) insert.run(`02${n.toString(16).padStart(64, "0")}`, world.mint.url, `s${n}`);
  expect(await places(run, "all")).toEqual({ outbox: 230 });
  expect(world.mint.requestCount("/v1/checkstate")).toBe(3);
});
