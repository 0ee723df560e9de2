import type { Logger } from "pino";
import type { MintLink } from "./ports.ts";
import { restore } from "./resolve-swap.ts";
import type { SaleStore } from "./sale-store.ts";

const PAUSE_MS = { unanswered: 60_000, answered: 86_400_000 };

interface Asked {
  atMs: number;
  /** The mint has said what it signed, and that was not all. */
  isAnswered: boolean;
}

interface ReclaimParts {
  store: SaleStore;
  link: MintLink;
  now: () => number;
  nowMs: () => number;
  logger: Logger;
  /** Proofs came in. */
  onChange: () => void;
}

/**
 * After a mint's wrong answer the buyer has his tunnel, and the mint may owe us proofs that it has signed: it is asked
 * for them (NUT-09) until it gives all of them, or less for the second time, a day after the first. Never rejects.
 */
export function createReclaim({ store, link, now, nowMs, logger, onChange }: ReclaimParts) {
  const asked = new Map<string, Asked>();

  async function ask(saleId: string, isAnswered: boolean): Promise<void> {
    asked.set(saleId, { atMs: nowMs(), isAnswered });
    const restored = await restore(link, store.journals(saleId));
    if (restored.kind === "unknown") return;
    const isFinal = restored.kind === "signed" || isAnswered;
    const gainedSat = store.madeGood(
      saleId,
      restored.kind === "empty" ? [] : restored.proofs,
      isFinal,
      now(),
    );
    if (isFinal) asked.delete(saleId);
    else asked.set(saleId, { atMs: nowMs(), isAnswered: true });
    logger.info(
      { event: "mint-asked-again", gainedSat },
      "a mint that answered wrongly was asked for the rest",
    );
    if (gainedSat > 0) onChange();
  }

  function isDue({ atMs, isAnswered }: Asked): boolean {
    return nowMs() - atMs >= (isAnswered ? PAUSE_MS.answered : PAUSE_MS.unanswered);
  }

  return async function reclaim(): Promise<void> {
    try {
      for (const saleId of store.answeredWrongly()) {
        const before = asked.get(saleId);
        if (before === undefined || isDue(before)) await ask(saleId, before?.isAnswered ?? false);
      }
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      logger.error({ event: "reclaim-failed", error: name }, "a mint could not be asked for the rest");
    }
  };
}
