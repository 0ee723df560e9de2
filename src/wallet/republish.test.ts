import { afterEach, beforeEach, expect, test } from "vitest";
import { createFoldingStore } from "../books/folding-store.ts";
import { createWalletWorld, type WalletWorld } from "../testing/wallet-world.ts";
import { WALLET_KIND } from "./codec.ts";

let world: WalletWorld;

beforeEach(async () => {
  world = await createWalletWorld();
});
afterEach(() => world.close());

async function rememberWallet(...urls: string[]): Promise<string> {
  const event = await world.codec.newWallet([world.mint.url], 1_700_000_000);
  world.walletStore.rememberWallet(event, urls, [], 1_700_000_000);
  return event.id;
}

test("all relays gone, two empty ones in their place: wallet and every unspent proof are on both", async () => {
  const former = await world.relay();
  const first = await world.run(former);
  const walletId = await rememberWallet(former.url);
  await world.takeIn(1, 2, 4);
  await first.outbox.flush();
  await world.takeIn(8);
  await first.outbox.flush();
  await former.stop();
  const [one, two] = [await world.relay(), await world.relay()];
  const run = await world.run(one, two);
  expect(await run.republish()).toEqual({
    complete: true,
    events: 3,
    relays: [one, two].map(({ url }) => ({ url, held: 3, waiting: 0, refused: 0 })),
    unknownEvents: 0,
    silentMints: [],
  });
  for (const relay of [one, two]) {
    expect(await world.readElsewhere(relay)).toBe(15);
    expect(relay.events().filter(({ kind }) => kind === WALLET_KIND)).toMatchObject([{ id: walletId }]);
  }
});

test("sends neither what is spent nor what is deleted; what shares an event with it goes into a new one", async () => {
  const [kept, empty] = [await world.relay(), await world.relay()];
  const first = await world.run(kept);
  await rememberWallet(kept.url);
  const spent = await world.takeIn(1, 2);
  await first.outbox.flush();
  const [half] = await world.takeIn(4, 8);
  await first.outbox.flush();
  const rolled = await world.takeIn(16);
  await first.outbox.flush();
  const id = world.book.prepare("SELECT event_id FROM proofs WHERE amount_sat = 16").pluck().get() as string;
  if (!half) throw new Error("nothing was minted");
  await world.spend([...spent, half]);
  await world.publishElsewhere(kept, world.foreignToken(rolled, [id]));
  const run = await world.run(kept, empty);
  expect(await run.republish()).toMatchObject({ complete: true, events: 2 });
  expect(await world.readElsewhere(empty)).toBe(8);
  // Nothing of what this relay showed is counted twice.
  expect(await world.readElsewhere(kept)).toBe(8 + 16 + 3);
});

test("what was spent beside it is not sent along either, however long ago that was", async () => {
  const [kept, empty] = [await world.relay(), await world.relay()];
  const first = await world.run(kept);
  const [half] = await world.takeIn(4, 8);
  await first.outbox.flush();
  if (!half) throw new Error("nothing was minted");
  await world.spend([half]);
  await first.comparison.compare("all");
  const forget = createFoldingStore(world.book);
  expect(forget.proofs(Number.MAX_SAFE_INTEGER)).toBe(0);
  const run = await world.run(kept, empty);
  expect(await run.republish()).toMatchObject({ complete: true, events: 1 });
  expect(await world.readElsewhere(empty)).toBe(8);
  expect(forget.proofs(Number.MAX_SAFE_INTEGER)).toBe(1);
});

test("a relay that refuses for good is named; one that is down waits, and gets it later", async () => {
  const former = await world.relay();
  const first = await world.run(former);
  await world.takeIn(1);
  await first.outbox.flush();
  const [refuses, down] = [await world.relay(), await world.relay()];
  refuses.policy = () => ({ refuse: "blocked: not here" });
  const run = await world.run(former, refuses, down);
  await down.stop();
  const result = await run.republish();
  expect(result).toMatchObject({ complete: false, events: 1 });
  expect(result.relays.map(({ held, waiting, refused }) => [held, waiting, refused])).toEqual([
    [1, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
  ]);
  refuses.policy = () => "accept";
  await down.start();
  await expect.poll(() => run.relays.status().every(({ connected }) => connected)).toBe(true);
  expect(await run.republish()).toMatchObject({ complete: true });
});

test("while the mint is silent nothing of it is sent, and it is said", async () => {
  const [former, empty] = [await world.relay(), await world.relay()];
  const first = await world.run(former);
  await world.takeIn(1, 2);
  await first.outbox.flush();
  await world.mint.stop();
  const run = await world.run(empty);
  expect(await run.republish()).toMatchObject({
    complete: false,
    events: 0,
    unknownEvents: 1,
    silentMints: [world.mint.url],
  });
  expect(world.tokensAt(empty)).toEqual([]);
});

test("a wallet that another client has extended is taken over, not overwritten", async () => {
  const [kept, empty] = [await world.relay(), await world.relay()];
  await rememberWallet(kept.url);
  const known = world.walletStore.wallet()?.event;
  if (!known) throw new Error("no wallet");
  const newer = await world.codec.extendWallet(known, ["https://other.example"], 1_700_000_500);
  if (!newer) throw new Error("not extended");
  await world.publishElsewhere(kept, newer);
  const run = await world.run(kept, empty);
  expect(await run.republish()).toMatchObject({ complete: true, events: 1 });
  expect(empty.events().map(({ id }) => id)).toEqual([newer.id]);
});
