import { setTimeout as sleep } from "node:timers/promises";

/** Asks until it is so, and tells when (ms since the epoch). Throws after `withinMs`. */
export async function eventually(what: () => Promise<boolean> | boolean, withinMs = 5_000): Promise<number> {
  const deadline = Date.now() + withinMs;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error(`it did not come true within ${withinMs} ms`);
    await sleep(50);
  }
  return Date.now();
}
