import type { Logger } from "pino";
import { runJob } from "../jobs.ts";

/** What ends with the daemon, and who wants to know that something changed. */
export interface Lifetime {
  /** Steps are taken in the reverse of the order in which they were named. */
  onClose(step: () => Promise<void> | void): void;
  job(name: string, pauseMs: number, step: () => Promise<void> | void): void;
  onChange(tell: () => void): void;
  /** Something that the listing or the wallet may depend on is not as it was. */
  changed(): void;
  close(): Promise<void>;
}

export function createLifetime(logger: Logger): Lifetime {
  const closing: (() => Promise<void> | void)[] = [];
  const listeners: (() => void)[] = [];
  const onClose: Lifetime["onClose"] = (step) => void closing.unshift(step);
  return {
    onClose,
    job: (name, pauseMs, step) => onClose(runJob(name, pauseMs, logger, step).stop),
    onChange: (tell) => void listeners.push(tell),
    changed() {
      for (const tell of listeners) tell();
    },
    async close() {
      for (const step of closing.splice(0)) await step();
    },
  };
}
