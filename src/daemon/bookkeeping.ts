import type { Logger } from "pino";
import { type Bookkeeper, createBookkeeper } from "../books/bookkeeper.ts";
import { createBooksStore } from "../books/books-store.ts";
import { viewTunnels } from "../books/tunnel-view.ts";
import type { Mints } from "../cashu/mints.ts";
import type { Clock } from "../clock.ts";
import type { ControlServer } from "../control/server.ts";
import type { Facts } from "../db/facts.ts";
import type { Book } from "../db/open-book.ts";
import { describe } from "../jobs.ts";
import type { Relays } from "../nostr/relays.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { Enforcement } from "../tunnels/ports.ts";
import type { SessionStore } from "../tunnels/session-store.ts";
import type { WalletCodec } from "../wallet/codec.ts";
import { createWalletComparison } from "../wallet/comparison.ts";
import { createComparisonStore } from "../wallet/comparison-store.ts";
import type { Outbox } from "../wallet/outbox.ts";
import { republishWallet } from "../wallet/republish.ts";
import type { WalletStore } from "../wallet/wallet-store.ts";

const DAY_MS = 86_400_000;
/** Sooner again, while a mint or the relays did not answer. */
const UNKNOWN_PAUSE_MS = 3_600_000;

/** Unix seconds of the last time that mints were asked about every proof. */
const ASKED_AT = "proofs-asked-at";

interface BookkeepingParts {
  book: Book;
  facts: Facts;
  relays: Relays;
  codec: WalletCodec;
  walletStore: WalletStore;
  outbox: Outbox;
  mints: Mints;
  sessions: SessionStore;
  enforcement: Enforcement;
  keeper: Keeper;
  control: ControlServer;
  pubkeyHex: string;
  clock: Clock;
  nowMs: () => number;
  logger: Logger;
}

export interface Bookkeeping {
  /** To be called often: balances the books at the first call and daily. Never waits for mints or relays. */
  tick(): void;
  /** What is under way writes nothing more. */
  stop(): void;
}

/** The daily look at the books, and the operator's own over the control socket. */
export function startBookkeeping(parts: BookkeepingParts): Bookkeeping {
  const { book, relays, outbox, walletStore, control, pubkeyHex, clock, logger } = parts;
  const stopping = new AbortController();
  const store = createComparisonStore(book);
  const comparison = createWalletComparison({
    relays,
    codec: parts.codec,
    store,
    proofs: parts.mints.proofs,
    pubkeyHex,
    onReturned: outbox.poke,
    clock,
    logger,
  });
  const bookkeeper = createBookkeeper({
    store: createBooksStore(book),
    comparison,
    viewTunnels: () => viewTunnels(parts.enforcement, parts.sessions, parts.keeper),
    now: clock.now,
    logger,
  });
  const republishing = { relays, comparison, store, walletStore, outbox, pubkeyHex, clock };
  control.serve("books", () => bookkeeper.balance("all", stopping.signal));
  control.serve("wallet-republish", () => republishWallet(republishing, stopping.signal));
  return {
    tick: balanceDaily(bookkeeper, parts, stopping.signal),
    stop: () => stopping.abort(),
  };
}

/** A mint is asked about every proof once a day; what is missing from the relays is looked for at each start also. */
function balanceDaily(
  bookkeeper: Bookkeeper,
  { facts, clock, nowMs, logger }: Pick<BookkeepingParts, "facts" | "clock" | "nowMs" | "logger">,
  signal: AbortSignal,
): () => void {
  let dueAtMs = nowMs();
  return () => {
    if (nowMs() < dueAtMs) return;
    dueAtMs = Number.POSITIVE_INFINITY;
    const askedAt = Number(facts.get(ASKED_AT) ?? 0);
    const ask = Math.abs(clock.now() - askedAt) * 1000 >= DAY_MS ? "all" : "missing";
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
