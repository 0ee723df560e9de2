import { setImmediate as letOthersRun } from "node:timers/promises";
import type { Relays } from "../nostr/relays.ts";
import { HISTORY_KIND, type WalletCodec } from "./codec.ts";
import type { ComparisonStore } from "./comparison-store.ts";
import { readWalletView } from "./wallet-view.ts";

const RELAY_DEADLINE_MS = 5_000;
/** An event is signed a moment before it is in the book, and by the clock of the host that is lost. */
const SLACK_SECONDS = 60;

/** What relays tell of ecash that came in after a backup, and that the book restored from it does not know. In sat. */
export interface SinceBackup {
  /** Entries of the wallet's history (kind 7376), each of one sale or of several that followed closely. */
  entries: number;
  soldSat: number;
  /** Of it: in a wallet event that a relay shows, or that the wallet has replaced or deleted since. */
  walletSat: number;
  /** Of it: the history tells of a wallet event that no relay has. */
  lostSat: number;
  silentRelays: string[];
}

interface SinceParts {
  relays: Pick<Relays, "query">;
  codec: Pick<WalletCodec, "readToken" | "readHistory">;
  store: Pick<ComparisonStore, "knowsEvent">;
  pubkeyHex: string;
}

/** From the backup to the first start on it. Never throws for a relay's sake; what silent ones hold is missing in the sums. */
export async function readSinceBackup(
  parts: SinceParts,
  backupAt: number,
  startedAt: number,
): Promise<SinceBackup> {
  const { relays, codec, store, pubkeyHex } = parts;
  const view = await readWalletView(relays, codec, pubkeyHex, RELAY_DEADLINE_MS);
  const shown = new Set([...view.shownBy.values()].flatMap((ids) => [...ids]));
  // What came in after the start is the book's own, which it may have forgotten by now.
  const lost = { since: backupAt - SLACK_SECONDS, until: startedAt + SLACK_SECONDS };
  const filter = { kinds: [HISTORY_KIND], authors: [pubkeyHex], ...lost };
  const answers = await relays.query(filter, RELAY_DEADLINE_MS);
  const history = new Map(
    answers.flatMap((answer) =>
      "events" in answer ? answer.events.map((event) => [event.id, event] as const) : [],
    ),
  );
  const sums = { entries: 0, soldSat: 0, walletSat: 0, lostSat: 0 };
  for (const event of history.values()) {
    if (store.knowsEvent(event.id)) continue;
    await letOthersRun();
    const entry = await codec.readHistory(event);
    if (entry?.direction !== "in" || entry.created.length === 0) continue;
    if (entry.created.some((id) => store.knowsEvent(id))) continue;
    sums.entries += 1;
    sums.soldSat += entry.amountSat;
    const isSafe = entry.created.every((id) => shown.has(id) || view.gone.has(id));
    sums[isSafe ? "walletSat" : "lostSat"] += entry.amountSat;
  }
  const silent = answers.flatMap((answer) => ("silent" in answer ? [answer.url] : []));
  const silentRelays = [...new Set([...silent, ...view.silent.map(({ url }) => url)])];
  return { ...sums, silentRelays };
}
