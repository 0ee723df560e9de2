import type { Facts } from "../db/facts.ts";

const PAUSED = "sales-paused";

/** By the operator's word; or because the book was restored, and he has not looked at what that means yet. */
export type PauseCause = "operator" | "restored";

export type Pause = ReturnType<typeof createPause>;

/** Whether new buyers are turned away until the operator says otherwise. It stands in the book: a restart ends no pause. */
export function createPause(facts: Facts, onChange: () => void) {
  function set(cause: PauseCause | ""): void {
    facts.set(PAUSED, cause);
    onChange();
  }

  return {
    /** Undefined while new buyers are served. */
    cause(): PauseCause | undefined {
      const cause = facts.get(PAUSED);
      return cause === "operator" || cause === "restored" ? cause : undefined;
    },
    pause: (cause: PauseCause) => set(cause),
    resume: () => set(""),
  };
}
