import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Life, startLife } from "./mortal-daemon.ts";

const START_WITHIN_MS = 60_000;

/** A life that nothing is to end but `end`. Throws when the daemon does not come up. */
export async function startForGood(configPath: string): Promise<Life> {
  const life = startLife(configPath, undefined);
  await Promise.race([life.listening, sleep(START_WITHIN_MS, undefined, { ref: false })]);
  if (life.isOver() || !life.hasListened()) {
    life.kill();
    const folder = dirname(configPath);
    throw new Error(
      `the daemon did not come up after the chaos, see ${folder}:\n${life.output().slice(-3000)}`,
    );
  }
  return life;
}

export async function end(life: Life): Promise<void> {
  life.terminate();
  await life.ended;
}
