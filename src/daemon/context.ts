import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/types.ts";
import type { Lifetime } from "./lifetime.ts";

/** What an operator says at one start, by hand (README, "Flags"). */
export interface StartFlags {
  createWallet: boolean;
  acceptClock: boolean;
  newIdentity: boolean;
}

/** What every stage of the start is given. */
export interface Context {
  config: Config;
  flags: StartFlags;
  logger: Logger;
  clock: Clock;
  /** Monotonic, for durations. */
  nowMs: () => number;
  life: Lifetime;
}
