/** How slow the machine is: times that the plan names are meant for an idle one. */
export interface Pace {
  /** From the process to its first buyer it took so long. */
  started(tookMs: number): void;
  stretched(ms: number): number;
}

const IDLE_START_MS = 500;
const LOOKS_BACK = 4;
const SLOWEST = 20;

/** Lives that end before the daemon has come to anything would try nothing. */
export function createPace(): Pace {
  const starts: number[] = [];
  return {
    started(tookMs) {
      starts.push(tookMs);
      if (starts.length > LOOKS_BACK) starts.shift();
    },
    // The quickest of the last ones, for mints and relays hold some of them up.
    stretched(ms) {
      const slowness = starts.length === 0 ? 1 : Math.min(...starts) / IDLE_START_MS;
      return ms * Math.min(SLOWEST, Math.max(1, slowness));
    },
  };
}
