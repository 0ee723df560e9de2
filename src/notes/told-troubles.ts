import { z } from "zod";
import type { Facts } from "../db/facts.ts";
import type { Trouble } from "./trouble-board.ts";

const TOLD = "told-troubles";

const troubles = z.array(
  z.object({ name: z.string(), words: z.string(), event: z.string(), since: z.number() }),
);

/** What the operator has been told of and not that it is over, in the book: one note each way, also over a restart. */
export function createToldTroubles(facts: Pick<Facts, "get" | "set">) {
  const before = facts.get(TOLD);
  const known = before === undefined ? [] : troubles.parse(JSON.parse(before));
  let kept = namesOf(known);
  return {
    read: (): Trouble[] => known,
    /** Writes only when one came or went: words may change with every look. */
    keep(told: readonly Trouble[]): void {
      const names = namesOf(told);
      if (names === kept) return;
      facts.set(TOLD, JSON.stringify(told));
      kept = names;
    },
  };
}

function namesOf(troubles: readonly Trouble[]): string {
  return JSON.stringify(troubles.map(({ name, since }) => [name, since]));
}
