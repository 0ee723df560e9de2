import type { Logger } from "pino";
import { anew, compareLimits, settingFor, usedBytes } from "./limits.ts";
import {
  EnforcementError,
  type InterfaceTrouble,
  type Limits,
  type LimitsView,
  type SessionLimit,
} from "./ports.ts";

/** Bytes used as the kernel counted them, by the limit's name. */
export type KernelCounts = ReadonlyMap<string, number>;

export interface LimitKeeper {
  /** What the kernel has counted; nothing when it does not say. */
  look(): Promise<KernelCounts>;
  /** Brings the kernel in line, by the last look. Whether it is. */
  bringInLine(
    desired: readonly SessionLimit[],
    foreignCidrs: readonly string[],
    endsAreSure: boolean,
  ): Promise<boolean>;
  /** Sets these limits beside what there is; what was counted up to the last look goes on. Throws `EnforcementError`. */
  set(limits: readonly SessionLimit[]): Promise<void>;
  /** What is left undone here, the tick does. */
  release(limits: readonly SessionLimit[]): Promise<void>;
  trouble(): InterfaceTrouble | undefined;
}

/** For a host on which only the daemon itself keeps tunnels to their limits. */
export const noLimits: LimitKeeper = {
  look: async () => new Map(),
  bringInLine: async () => true,
  set: async () => {},
  release: async () => {},
  trouble: () => undefined,
};

/** Keeps the kernel's limits as the book has them. One call at a time: the keeper sees to that. */
export function createLimitKeeper(limits: Limits, logger: Logger): LimitKeeper {
  let view: LimitsView | undefined;
  let trouble: InterfaceTrouble | undefined;
  let foreignSet: string | undefined;
  let wasWhole = false;

  async function tried(step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      trouble = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof EnforcementError)) throw error;
      trouble = error.trouble;
      return false;
    }
  }

  return {
    async look() {
      view = undefined;
      await tried(async () => {
        view = await limits.look();
      });
      return view ? usedBytes(view) : new Map();
    },
    async bringInLine(desired, foreignCidrs, endsAreSure) {
      const seen = view;
      if (seen === undefined) return false;
      const { rebuild, set, remove } = compareLimits(seen, desired, endsAreSure);
      const foreign = [...foreignCidrs].sort().join(" ");
      const foreignStays = !rebuild && foreign === foreignSet;
      if (foreignStays && set.length + remove.length === 0) return true;
      const isInLine = await tried(() =>
        limits.apply({ rebuild, set, remove, foreignCidrs: foreignStays ? undefined : [...foreignCidrs] }),
      );
      if (isInLine) foreignSet = foreign;
      if (isInLine && rebuild && wasWhole) {
        logger.warn(
          { event: "limits-rebuilt" },
          "another program took the tunnels' limits away; they are back",
        );
      }
      wasWhole ||= isInLine;
      return isInLine;
    },
    async set(wanted) {
      const seen = view;
      await limits.apply({
        rebuild: false,
        set: wanted.map((limit) => (seen ? settingFor(seen, limit) : anew(limit))),
        remove: [],
        foreignCidrs: undefined,
      });
    },
    async release(gone) {
      const remove = gone.map(({ name, addresses }) => {
        const leaving = { name, goes: true };
        return { addresses, count: leaving, rate: leaving };
      });
      await tried(() => limits.apply({ rebuild: false, set: [], remove, foreignCidrs: undefined }));
    },
    trouble: () => trouble,
  };
}
