import { setTimeout as sleep } from "node:timers/promises";

/** Returns when it is so, or after `withinMs`: what is not so by then shows elsewhere. */
export async function until(holds: () => boolean, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds() && Date.now() < deadline) await sleep(50);
}
