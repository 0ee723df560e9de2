import { expect, it } from "vitest";
import { createPreparingSlots } from "./preparing-slots.ts";

it("runs two at once in turn, frees the slot of one that failed, and refuses when the queue is full", async () => {
  const slots = createPreparingSlots();
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const job = (number: number) => async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    order.push(number);
    if (number % 3 === 0) throw new Error("failed");
  };
  const jobs = Array.from({ length: 34 }, (_, number) => slots(job(number)));
  await expect(slots(job(99))).rejects.toMatchObject({ reason: "mint-unreachable", retryAfterSeconds: 5 });
  await Promise.allSettled(jobs);
  expect(most).toBe(2);
  expect(order).toEqual(Array.from({ length: 34 }, (_, number) => number));
  await slots(job(1));
  expect(running).toBe(0);
});
