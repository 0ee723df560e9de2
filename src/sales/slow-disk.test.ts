import { afterEach, beforeEach, expect, it } from "vitest";
import type { Refusal } from "../protocol/refusal.ts";
import { type BookedSale, createWorld, imbalances, type World } from "../testing/sales-world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(async () => {
  expect(imbalances(world)).toEqual([]);
  await world.close();
});

const states = () => world.all<BookedSale>("SELECT state FROM sales").map(({ state }) => state);

function holdDisk(): () => void {
  let release = () => {};
  world.disk.answers = new Promise((resolve) => {
    release = resolve;
  });
  return release;
}

/** Longer than anything here takes that waits for no disk. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 50));

it("a swap is sent when its journal is on disk, not before", async () => {
  const release = holdDisk();
  const sale = world.buy(world.buyer(), world.mint.issue([64, 32, 4]));
  await expect.poll(states).toEqual(["swapping"]);
  await aWhile();
  expect(world.mint.calls.swap).toBe(0);
  release();
  await sale;
  expect(world.mint.calls.swap).toBe(1);
});

it("a buyer is answered, and whoever repeats his request, when the payment is on disk", async () => {
  world.mint.script("swap", "stall");
  const buyer = world.buyer();
  const token = world.mint.issue([64, 32, 4]);
  const answered: string[] = [];
  const ask = async (name: string) => {
    await world.buy(buyer, token);
    answered.push(name);
  };
  const first = ask("first");
  await expect.poll(() => world.mint.calls.swap).toBe(1);
  const release = holdDisk();
  world.mint.unstall();
  await expect.poll(states).toEqual(["granted"]);
  const second = ask("second");
  await aWhile();
  expect(answered).toEqual([]);
  release();
  await Promise.all([first, second]);
});

it("what is paid while an answer waits for the disk is not in that answer", async () => {
  world.settings.answerWithinMs = 1_000;
  await world.restart();
  world.mint.script("swap", "stall");
  const first = world
    .buy(world.buyer(), world.mint.issue([64, 32, 4]))
    .catch((error: Refusal) => error.reason);
  await expect.poll(() => world.mint.calls.swap).toBe(1);
  const release = holdDisk();
  const other = world.buy(world.buyer(), world.mint.issue([64, 32, 4])).catch(() => undefined);
  await expect.poll(states).toEqual(["swapping", "swapping"]);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  world.mint.unstall();
  await expect.poll(states).toEqual(["granted", "swapping"]);
  const releaseNext = holdDisk();
  release();
  expect(await first).toBe("mint-unreachable");
  releaseNext();
  await other;
  await world.run.settlement.idle();
});

it("a disk that fails at first loses nothing: what it did not take is written anew", async () => {
  world.disk.answers = Promise.reject(new Error("EIO"));
  world.disk.answers.catch(() => undefined);
  await world.buy(world.buyer(), world.mint.issue([64, 32, 4]));
  expect(states()).toEqual(["granted"]);
});
