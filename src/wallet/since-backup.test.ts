import { afterEach, beforeEach, expect, test } from "vitest";
import { createWalletWorld, type WalletWorld } from "../testing/wallet-world.ts";
import { readSinceBackup } from "./since-backup.ts";

const DAY = 86_400;

let world: WalletWorld;
beforeEach(async () => {
  world = await createWalletWorld();
});
afterEach(() => world.close());

/** The book's own account of what came in goes after 30 days, and the relays keep theirs. */
function forgetEvents(): void {
  world.book.exec(
    "UPDATE proofs SET event_id = NULL; DELETE FROM wallet_event_relays; DELETE FROM wallet_events",
  );
}

test("what came in after the restore is not taken for something that the backup lacks, however old it is", async () => {
  const relay = await world.relay();
  const { relays, outbox } = await world.run(relay);
  await world.takeIn(4, 8);
  await outbox.flush();
  await expect.poll(() => relay.events().some(({ kind }) => kind === 7376)).toBe(true);
  const [soldAt] = relay.events().map(({ created_at }) => created_at);
  const since = (startedAt: number) =>
    readSinceBackup({ ...world, relays }, Number(soldAt) - 40 * DAY, startedAt);
  forgetEvents();
  expect(await since(Number(soldAt) - DAY)).toMatchObject({ entries: 0, soldSat: 0 });
  expect(await since(Number(soldAt) + DAY)).toMatchObject({ entries: 1, soldSat: 12, walletSat: 12 });
});
