import { setTimeout as sleep } from "node:timers/promises";
import { foldingSteps } from "../books/folding.ts";
import { createFoldingStore } from "../books/folding-store.ts";
import type { Clock } from "../clock.ts";
import type { Book } from "../db/open-book.ts";
import type { ClockGuard } from "../tunnels/clock-guard.ts";
import type { DatabaseProbe } from "./database-probe.ts";
import type { Lifetime } from "./lifetime.ts";

const FOLDING_MS = 60_000;
/** Between two transactions: whoever buys comes first. */
const PAUSE_MS = 50;
/** In one round. An old book is gone through within some hours, a day's sales in the next round. */
const MOST_STEPS = 50;

interface FoldingParts {
  book: Book;
  guard: Pick<ClockGuard, "doubt">;
  database: Pick<DatabaseProbe, "writable">;
}

/** Lets the book forget what is long over, a little at a time. */
export function startFolding(
  { clock, life }: { clock: Clock; life: Pick<Lifetime, "job" | "onClose"> },
  { book, guard, database }: FoldingParts,
): void {
  const steps = foldingSteps(createFoldingStore(book), clock.now);
  let isClosing = false;
  life.job("folding", FOLDING_MS, async () => {
    for (let taken = 0; taken < MOST_STEPS && !isClosing; taken++) {
      // By a clock that ran ahead, everything would be over.
      if (guard.doubt() !== undefined || !database.writable()) return;
      if (!steps.some((step) => step())) return;
      await sleep(PAUSE_MS);
    }
  });
  life.onClose(() => {
    isClosing = true;
  });
}
