import type { Logger } from "pino";
import type { Ask, WalletComparison } from "../wallet/comparison.ts";
import { balanceBooks } from "./balance.ts";
import type { BooksStore } from "./books-store.ts";
import type { BooksReport } from "./report.ts";
import type { TunnelView } from "./tunnel-view.ts";

export type Bookkeeper = ReturnType<typeof createBookkeeper>;

interface BookkeeperParts {
  store: BooksStore;
  comparison: Pick<WalletComparison, "compare">;
  viewTunnels: () => Promise<TunnelView>;
  now: () => number;
  logger: Logger;
}

/** Balances the books: wallet and mints first, then the interface, then the book itself in one go. */
export function createBookkeeper({ store, comparison, viewTunnels, now, logger }: BookkeeperParts) {
  let balanced: boolean | undefined;

  function tell({ balanced, total, payments, open, differences, unknown }: BooksReport): void {
    const summary = { ...total, ...payments, open: open.length };
    if (differences.length > 0) {
      logger.error({ event: "books-differ", ...summary, differences, unknown }, "the books do not balance");
    } else if (balanced === true) {
      logger.info({ event: "books-balanced", ...summary }, "the books balance");
    } else {
      logger.warn({ event: "books-unknown", ...summary, unknown }, "not all of the books could be looked at");
    }
  }

  return {
    /** Rejects when the book cannot be read or written, or with the reason of `signal`. */
    async balance(ask: Ask, signal: AbortSignal): Promise<BooksReport> {
      const { places, view, silentMints } = await comparison.compare(ask, signal);
      const tunnels = await viewTunnels();
      signal.throwIfAborted();
      const silent = [...view.silent.map(({ url }) => url), ...silentMints];
      const inBook = {
        sales: store.sales(),
        proofs: store.proofs(),
        folded: store.folded(),
        refunds: store.refunds(),
      };
      const report = balanceBooks({ ...inBook, places, tunnels, silent, now: now() });
      balanced = report.balanced === "unknown" ? undefined : report.balanced;
      tell(report);
      return report;
    },
    /** As it was at the last look; undefined: not known. */
    balanced: () => balanced,
  };
}
