import type { Logger } from "pino";
import { COPIED_AT } from "../db/copy-book.ts";
import type { Facts } from "../db/facts.ts";
import type { Book } from "../db/open-book.ts";
import type { SaleStore } from "../sales/sale-store.ts";
import type { AddressPool } from "../tunnels/address-pool.ts";
import type { Pause } from "./pause.ts";

const RESTORED_FROM = "restored-from";
const RESTORED_AT = "restored-at";
const WALLET_READ_FOR = "restored-wallet-read";

export type RestoredBook = ReturnType<typeof takeUpRestored>;

interface RestoredParts {
  book: Book;
  facts: Facts;
  pool: AddressPool;
  sales: Pick<SaleStore, "countOpenFrom">;
  pause: Pause;
  now: () => number;
  logger: Logger;
}

/**
 * A copy of a book that is started is the book from now on, and behind what has happened (docs/adr/0011): sales pause,
 * addresses that were next in line come last, and what was open is not granted for longer than it was paid for.
 */
export function takeUpRestored({ book, facts, pool, sales, pause, now, logger }: RestoredParts) {
  const copiedAt = numberOf(facts.get(COPIED_AT));
  if (copiedAt !== undefined) {
    book.transaction(() => {
      pause.pause("restored");
      pool.turnAround(now());
      sales.countOpenFrom(copiedAt);
      facts.set(RESTORED_FROM, String(copiedAt));
      facts.set(RESTORED_AT, String(now()));
      facts.set(COPIED_AT, "");
    })();
    logger.warn(
      { event: "book-restored", backupAt: copiedAt },
      "this database comes from a backup: sales are paused; `europa-node restore --report` says what is known since",
    );
  }
  const from = numberOf(facts.get(RESTORED_FROM));
  return {
    /** When the backup was made that this book goes on from, in unix seconds; undefined for one that never was lost. */
    backupAt: from,
    isFirstStart: copiedAt !== undefined,
    startedAt: numberOf(facts.get(RESTORED_AT)),
    /** Proofs of the book may stand in wallet events that it does not know. */
    walletUnread: (): boolean => from !== undefined && facts.get(WALLET_READ_FOR) !== String(from),
    walletRead: (): void => facts.set(WALLET_READ_FOR, String(from)),
  };
}

function numberOf(fact: string | undefined): number | undefined {
  return fact === undefined || fact === "" ? undefined : Number(fact);
}
