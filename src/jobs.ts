import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";

export interface Job {
  /** Lets the step under way end, then ends the job. */
  stop(): Promise<void>;
}

/**
 * Runs `step` for ever: never two at once, the next pause after the last end. An error is logged by its name, and
 * once while it stays the same.
 */
export function runJob(name: string, pauseMs: number, logger: Logger, step: () => Promise<void> | void): Job {
  const stopping = new AbortController();
  let failing: string | undefined;
  const done = (async () => {
    while (!stopping.signal.aborted) {
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        await step();
        failing = undefined;
      } catch (error) {
        const before = failing;
        failing = describe(error);
        if (failing !== before) {
          logger.error({ event: "job-failed", job: name, error: failing }, "a step failed and is repeated");
        }
      }
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

/** Names and codes only: a message may hold a key, an address or a path. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? `${error.name} ${code}` : error.name;
}
