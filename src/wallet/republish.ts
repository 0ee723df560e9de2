import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { Clock } from "../clock.ts";
import type { Relays } from "../nostr/relays.ts";
import type { Compared, WalletComparison } from "./comparison.ts";
import type { ComparisonStore, StandingEvent } from "./comparison-store.ts";
import type { Outbox } from "./outbox.ts";
import type { WalletStore } from "./wallet-store.ts";
import { newestFirst, type WalletView } from "./wallet-view.ts";

const WITHIN_MS = 30_000;
const PAUSE_MS = 500;

export interface RepublishOptions {
  relays: Pick<Relays, "urls">;
  comparison: WalletComparison;
  store: ComparisonStore;
  walletStore: Pick<WalletStore, "wallet" | "rememberWallet">;
  outbox: Pick<Outbox, "flush">;
  pubkeyHex: string;
  clock: Clock;
  /** How long to wait for the relays; the outbox goes on behind. */
  withinMs?: number;
}

export const republishedSchema = z.object({
  /** Every relay holds every event that is to be there, and none was left out. */
  complete: z.boolean(),
  /** What is to be on each relay: the wallet itself, and token events whose proofs are all unspent. */
  events: z.number(),
  relays: z.array(z.object({ url: z.string(), held: z.number(), waiting: z.number(), refused: z.number() })),
  /** Token events that were left out, since their mint does not say whether they are spent. */
  unknownEvents: z.number(),
  silentMints: z.array(z.string()),
});

export type Republished = z.infer<typeof republishedSchema>;

/**
 * Fills relays that are new, or were emptied, with the kind 17375 and every kind 7375 of ours that is unspent and
 * deleted nowhere; proofs that share an event with spent ones go into a new one. Rejects when the book cannot be
 * written, or with the reason of `signal`.
 */
export async function republishWallet(options: RepublishOptions, signal: AbortSignal): Promise<Republished> {
  const { relays, comparison, store, outbox, pubkeyHex, clock, withinMs = WITHIN_MS } = options;
  const compared = await comparison.compare("all", signal);
  const { view, unspent, movedOn, silentMints } = compared;
  for (const { event, ys, spentCount } of store.standing()) {
    if (spentCount === 0 && event.pubkey === pubkeyHex) continue;
    const alone = ys.filter((y) => unspent.has(y) && !movedOn.has(y));
    if (alone.length > 0) store.unwrap(event.id, alone, clock.now());
  }
  const wallet = rememberNewest(options, view);
  const wholeNow = () => whole(store.standing(), compared, pubkeyHex).map(({ event }) => event.id);
  for (const id of [...wallet, ...wholeNow()]) store.offer(id, lacking(relays.urls, id, view), true);

  const deadline = performance.now() + withinMs;
  for (;;) {
    await outbox.flush();
    signal.throwIfAborted();
    const ids = [...wallet, ...wholeNow()];
    const perRelay = relays.urls.map((url) => {
      const { waiting, refused } = store.deliveries(url, ids);
      return { url, held: ids.length - waiting - refused, waiting, refused };
    });
    if (perRelay.every(({ waiting }) => waiting === 0) || performance.now() >= deadline) {
      const unknownEvents = inDoubt(store.standing(), compared).length;
      const complete = unknownEvents === 0 && perRelay.every(({ held }) => held === ids.length);
      return { complete, events: ids.length, relays: perRelay, unknownEvents, silentMints };
    }
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

function whole(standing: readonly StandingEvent[], { unspent }: Compared, pubkeyHex: string) {
  return standing.filter(({ event, ys }) => event.pubkey === pubkeyHex && ys.every((y) => unspent.has(y)));
}

/** What was taken in since the comparison is no doubt: it is on its way already. */
function inDoubt(standing: readonly StandingEvent[], { places, unspent }: Compared): StandingEvent[] {
  const isDoubtful = (y: string) => places.has(y) && places.get(y) !== "spent" && !unspent.has(y);
  return standing.filter(({ ys }) => ys.some(isDoubtful));
}

/** The id of the newest kind 17375 that book or relays know, as a list of one; of none where there is none. */
function rememberNewest(
  { walletStore, relays, pubkeyHex, clock }: RepublishOptions,
  view: WalletView,
): string[] {
  const known = walletStore.wallet()?.event;
  const ours = known?.pubkey === pubkeyHex ? [known] : [];
  const newest = [...view.wallets, ...ours].sort(newestFirst)[0];
  if (newest === undefined) return [];
  if (newest.id !== known?.id) {
    const heldBy = [...view.shownBy].filter(([, ids]) => ids.has(newest.id)).map(([url]) => url);
    walletStore.rememberWallet(newest, relays.urls, heldBy, clock.now());
  }
  return [newest.id];
}

function lacking(urls: readonly string[], eventId: string, { shownBy }: WalletView): string[] {
  return urls.filter((url) => !shownBy.get(url)?.has(eventId));
}
