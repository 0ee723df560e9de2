import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createSemaphore, createSemaphores } from "./semaphore.ts";

/** Sections that wait to be let go, and how many of them are inside. */
function sections() {
  const inside: (() => void)[] = [];
  return {
    inside,
    section: () => new Promise<void>((resolve) => void inside.push(resolve)),
    leave: () => inside.shift()?.(),
  };
}

it("lets in as many as there are places, queues a few, turns the rest away at once", async () => {
  const { inside, section, leave } = sections();
  const semaphore = createSemaphore(2, 1);
  const first = [semaphore.tryRun(section), semaphore.tryRun(section), semaphore.tryRun(section)];
  expect(first.every((run) => run !== undefined)).toBe(true);
  expect(semaphore.tryRun(section)).toBeUndefined();
  expect(inside).toHaveLength(2);
  leave();
  await turn();
  expect(inside).toHaveLength(2);
  const fourth = semaphore.tryRun(section);
  expect(fourth).toBeDefined();
  expect(semaphore.tryRun(section)).toBeUndefined();
  for (let n = 0; n < 3; n++) {
    leave();
    await turn();
  }
  await Promise.all([...first, fourth]);
  expect(inside).toHaveLength(0);
});

it("frees the place of a section that failed", async () => {
  const semaphore = createSemaphore(1, 5);
  const failing = semaphore.tryRun(() => Promise.reject(new Error("no")));
  const next = semaphore.tryRun(async () => "next");
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe("next");
  expect(await semaphore.tryRun(async () => "later")).toBe("later");
});

it("keeps one semaphore a key", () => {
  const { section } = sections();
  const places = createSemaphores(1, 0);
  expect(places("a").tryRun(section)).toBeDefined();
  expect(places("a").tryRun(section)).toBeUndefined();
  expect(places("b").tryRun(section)).toBeDefined();
});
