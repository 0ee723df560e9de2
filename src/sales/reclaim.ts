import type { Logger } from "pino";
import type { MintLink } from "./ports.ts";
import { restore } from "./resolve-swap.ts";
import type { SaleStore } from "./sale-store.ts";

const PAUSE_MS = 60_000;

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
 * for them (NUT-09) until it has given one definite answer. Never rejects.
 */
export function createReclaim({ store, link, now, nowMs, logger, onChange }: ReclaimParts) {
  const askedAtMs = new Map<string, number>();

  async function ask(saleId: string): Promise<void> {
    askedAtMs.set(saleId, nowMs());
    const restored = await restore(link, store.journals(saleId));
    if (restored.kind === "unknown") return;
    const gainedSat = store.madeGood(saleId, restored.kind === "empty" ? [] : restored.proofs, now());
    askedAtMs.delete(saleId);
    logger.info(
      { event: "mint-asked-again", gainedSat },
      "a mint that answered wrongly was asked for the rest",
    );
    if (gainedSat > 0) onChange();
  }

  return async function reclaim(): Promise<void> {
    try {
      for (const saleId of store.answeredWrongly()) {
        const askedMs = askedAtMs.get(saleId);
        if (askedMs === undefined || nowMs() - askedMs >= PAUSE_MS) await ask(saleId);
      }
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      logger.error({ event: "reclaim-failed", error: name }, "a mint could not be asked for the rest");
    }
  };
}
