import type { Logger } from "pino";
import { anew, compareLimits, settingFor, usedBytes } from "./limits.ts";
import {
  EnforcementError,
  type InterfaceTrouble,
  type LimitChange,
  type LimitCounts,
  type Limits,
  type LimitsView,
  type SessionLimit,
} from "./ports.ts";

/** Bytes used as the kernel counted them, by the limit's name. */
export type KernelCounts = ReadonlyMap<string, number>;

export interface LimitKeeper {
  /**
   * What the kernel has counted; nothing when it does not say. Looks at all that it holds when told to, and when it may
   * hold something else than the book.
   */
  look(thoroughly: boolean): Promise<KernelCounts>;
  /** Brings the kernel in line, as far as the last look saw. Whether it is. */
  bringInLine(
    desired: () => readonly SessionLimit[],
    foreignCidrs: readonly string[],
    endsAreSure: boolean,
  ): Promise<boolean>;
  /** Sets these limits beside what there is; what was counted up to the last look goes on. Throws `EnforcementError`. */
  set(limits: readonly SessionLimit[]): Promise<void>;
  /** What is left undone here, the tick does. */
  release(limits: readonly SessionLimit[]): Promise<void>;
  /** What was set may be nobody's: the next look is thorough. */
  mistrust(): void;
  trouble(): InterfaceTrouble | undefined;
}

/** For a host on which only the daemon itself keeps tunnels to their limits. */
export const noLimits: LimitKeeper = {
  look: async () => new Map(),
  bringInLine: async () => true,
  set: async () => {},
  release: async () => {},
  mistrust: () => {},
  trouble: () => undefined,
};

/** Keeps the kernel's limits as the book has them. One call at a time: the keeper sees to that. */
export function createLimitKeeper(limits: Limits, logger: Logger): LimitKeeper {
  /** Of the last look, if it was thorough, until it is dealt with. */
  let view: LimitsView | undefined;
  let seen: LimitCounts | undefined;
  let trouble: InterfaceTrouble | undefined;
  let foreignSet: string | undefined;
  let wasWhole = false;
  let isTrusted = false;

  async function tried(step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      trouble = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof EnforcementError)) throw error;
      trouble = error.trouble;
      isTrusted = false;
      return false;
    }
  }

  return {
    async look(thoroughly) {
      [view, seen] = [undefined, undefined];
      await tried(async () => {
        const counts = thoroughly || !isTrusted ? undefined : await limits.lookAtCounts();
        if (!counts?.whole) view = await limits.look();
        seen = view ? { whole: view.whole, counts: view.counts } : counts;
      });
      return seen ? usedBytes(seen) : new Map();
    },
    async bringInLine(desired, foreignCidrs, endsAreSure) {
      if (seen === undefined) return false;
      const { rebuild, set, remove } = view ? compareLimits(view, desired(), endsAreSure) : nothingToDo;
      view = undefined;
      const foreign = [...foreignCidrs].sort().join(" ");
      const foreignStays = !rebuild && foreign === foreignSet;
      const isInLine =
        (foreignStays && set.length + remove.length === 0) ||
        (await tried(() =>
          limits.apply({ rebuild, set, remove, foreignCidrs: foreignStays ? undefined : [...foreignCidrs] }),
        ));
      isTrusted = isInLine && endsAreSure;
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
      const counts = seen;
      const wasTrusted = isTrusted;
      isTrusted = false;
      await limits.apply({
        rebuild: false,
        set: wanted.map((limit) => (counts ? settingFor(counts, limit) : anew(limit))),
        remove: [],
        foreignCidrs: undefined,
      });
      isTrusted = wasTrusted;
    },
    async release(gone) {
      const remove = gone.map(({ name, addresses }) => ({ addresses, count: { name, goes: true } }));
      await tried(() => limits.apply({ rebuild: false, set: [], remove, foreignCidrs: undefined }));
    },
    mistrust() {
      isTrusted = false;
    },
    trouble: () => trouble,
  };
}

const nothingToDo: Pick<LimitChange, "rebuild" | "set" | "remove"> = { rebuild: false, set: [], remove: [] };
