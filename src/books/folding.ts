import type { FoldingStore } from "./folding-store.ts";

/** What is over is kept so long, for the buyer who asks and the operator who looks. */
const KEEP_SECONDS = 30 * 86_400;
/** Moves to another key are bounded per hour. */
const KEEP_MOVES_SECONDS = 86_400;

/** One small transaction; true while there may be more to forget. */
export type FoldingStep = () => boolean;

/** The steps by which the book forgets, in an order in which each finds what the one before has freed. */
export function foldingSteps(store: FoldingStore, now: () => number): FoldingStep[] {
  const upTo = (forget: (until: number) => number, keepSeconds: number) => () =>
    forget(now() - keepSeconds) > 0;
  return [
    upTo(store.sessions, KEEP_SECONDS),
    upTo(store.proofs, KEEP_SECONDS),
    upTo(store.walletEvents, KEEP_SECONDS),
    upTo(store.releases, KEEP_SECONDS),
    upTo(store.keyMoves, KEEP_MOVES_SECONDS),
    upTo(store.prices, KEEP_SECONDS),
  ];
}
