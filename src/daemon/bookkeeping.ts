import { type Bookkeeper, createBookkeeper } from "../books/bookkeeper.ts";
import { createBooksStore } from "../books/books-store.ts";
import type { BooksReport } from "../books/report.ts";
import { viewTunnels } from "../books/tunnel-view.ts";
import { walletBalanceOf } from "../books/wallet-balance.ts";
import type { Mints } from "../cashu/mints.ts";
import { describe } from "../jobs.ts";
import { createWalletComparison } from "../wallet/comparison.ts";
import { createComparisonStore } from "../wallet/comparison-store.ts";
import { republishWallet } from "../wallet/republish.ts";
import type { Context } from "./context.ts";
import type { Records } from "./records.ts";
import type { Tunnels } from "./tunnels.ts";
import type { Wallet } from "./wallet.ts";

const DAY_MS = 86_400_000;
/** Sooner again, while a mint or the relays did not answer. */
const UNKNOWN_PAUSE_MS = 3_600_000;

/** How often it is asked whether the books are due. */
const BOOKS_MS = 1_000;

/** Unix seconds of the last time that mints were asked about every proof. */
const ASKED_AT = "proofs-asked-at";

interface BookkeepingParts {
  records: Records;
  tunnels: Tunnels;
  wallet: Wallet;
  mints: Mints;
}

export interface Bookkeeping extends Pick<Bookkeeper, "balanced"> {
  /** Rejects when the book cannot be read or written, or the daemon ends. */
  balance(): Promise<BooksReport>;
}

/** The daily look at the books, and the operator's own over the control socket. Waits for neither mints nor relays. */
export function startBookkeeping(
  context: Context,
  { records, tunnels, wallet, mints }: BookkeepingParts,
): Bookkeeping {
  const { clock, logger, life } = context;
  const { book, sessions, control } = records;
  const { relays, codec, outbox, pubkeyHex } = wallet;
  const stopping = new AbortController();
  const store = createComparisonStore(book);
  const comparison = createWalletComparison({
    relays,
    codec,
    store,
    proofs: mints.proofs,
    pubkeyHex,
    onReturned: outbox.poke,
    clock,
    logger,
  });
  const bookkeeper = createBookkeeper({
    store: createBooksStore(book),
    comparison,
    viewTunnels: () => viewTunnels(tunnels.enforcement, sessions, tunnels.keeper),
    now: clock.now,
    logger,
  });
  const republishing = { relays, comparison, store, walletStore: wallet.store, outbox, pubkeyHex, clock };
  control.serve("books", () => bookkeeper.balance("all", stopping.signal));
  control.serve("wallet-balance", async () =>
    walletBalanceOf(await bookkeeper.balance("missing", stopping.signal)),
  );
  control.serve("wallet-republish", () => republishWallet(republishing, stopping.signal));
  // What is under way writes nothing more.
  life.onClose(() => stopping.abort());
  life.job("books", BOOKS_MS, balanceDaily(bookkeeper, records, context, stopping.signal));
  return {
    balanced: bookkeeper.balanced,
    balance: () => bookkeeper.balance("all", stopping.signal),
  };
}

/** A mint is asked about every proof once a day; what is missing from the relays is looked for at each start also. */
function balanceDaily(
  bookkeeper: Bookkeeper,
  { facts, restored }: Pick<Records, "facts" | "restored">,
  { clock, nowMs, logger }: Context,
  signal: AbortSignal,
): () => void {
  let dueAtMs = nowMs();
  return () => {
    if (nowMs() < dueAtMs) return;
    dueAtMs = Number.POSITIVE_INFINITY;
    const askedAt = Number(facts.get(ASKED_AT) ?? 0);
    const isDue = Math.abs(clock.now() - askedAt) * 1000 >= DAY_MS || askedAt < (restored.startedAt ?? 0);
    const ask = isDue ? "all" : "missing";
    bookkeeper
      .balance(ask, signal)
      .then(({ balanced }) => {
        if (ask === "all") facts.set(ASKED_AT, String(clock.now()));
        dueAtMs = nowMs() + (balanced === "unknown" ? UNKNOWN_PAUSE_MS : DAY_MS);
      })
      .catch((error: unknown) => {
        dueAtMs = nowMs() + UNKNOWN_PAUSE_MS;
        if (!signal.aborted) logger.error({ event: "books-failed", error: describe(error) });
      });
  };
}
