import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { createMutex } from "../mutex.ts";
import type { Relays } from "../nostr/relays.ts";
import type { WalletCodec } from "./codec.ts";
import type { ComparisonStore, HeldProof } from "./comparison-store.ts";
import type { ProofState, ProofStates } from "./ports.ts";
import { readWalletView, type WalletView } from "./wallet-view.ts";

const RELAY_DEADLINE_MS = 5_000;

/** Where a proof that we took in is: rule 14 knows no other place. */
export type Place = "outbox" | "wallet" | "spent" | "unknown";

export interface Compared {
  /** By `Y`: every proof that was not known as spent before. */
  places: ReadonlyMap<string, Place>;
  /** `Y`s that the mint has just called UNSPENT. */
  unspent: ReadonlySet<string>;
  /** `Y`s that stand in a live event other than the one the book put them in. */
  movedOn: ReadonlySet<string>;
  view: WalletView;
  /** Mints that did not answer for all that they were asked. */
  silentMints: string[];
}

export interface ComparisonOptions {
  relays: Pick<Relays, "urls" | "query">;
  codec: Pick<WalletCodec, "readToken">;
  store: ComparisonStore;
  proofs: ProofStates;
  pubkeyHex: string;
  /** Proofs went back to the outbox. */
  onReturned: () => void;
  clock: Clock;
  logger: Logger;
  relayDeadlineMs?: number;
}

/** `missing` asks mints only about proofs that no relay shows; `all` about every one last seen unspent. */
export type Ask = "missing" | "all";

export type WalletComparison = ReturnType<typeof createWalletComparison>;

/**
 * Compares the book with what relays and mints say (rule 14), by `Y`: a proof is in the outbox, in a live wallet
 * event, or SPENT. What no relay shows and the mint calls UNSPENT goes back to the outbox. Any NIP-60 client may
 * have spent, swapped, merged or deposited meanwhile.
 */
export function createWalletComparison(options: ComparisonOptions) {
  const { relays, codec, store, proofs, pubkeyHex, onReturned, clock, logger } = options;
  const { relayDeadlineMs = RELAY_DEADLINE_MS } = options;
  const oneAtATime = createMutex();

  async function compare(ask: Ask, signal: AbortSignal | undefined): Promise<Compared> {
    // Read before the relays are: what is acknowledged meanwhile must not look as if it were missing.
    const held = store.held();
    const view = await readWalletView(relays, codec, pubkeyHex, relayDeadlineMs);
    signal?.throwIfAborted();
    const { isShown, hasMovedOn } = shownProofs(view);
    const missing = held.filter((proof) => !proof.inOutbox && !isShown(proof));
    const answered = view.shownBy.size > 0;
    const asked = ask === "missing" ? (answered ? missing : []) : missingFirst(held, missing);
    const { states, silentMints } = await askMints(asked, signal);
    signal?.throwIfAborted();

    const now = clock.now();
    const said = (state: ProofState) => held.filter(({ y }) => states.get(y) === state).map(({ y }) => y);
    store.spent(said("SPENT"), now);
    store.withdraw(view.gone, now);
    const unspent = new Set(said("UNSPENT"));
    const lost = answered ? missing.filter(({ y }) => unspent.has(y)) : [];
    const returned = giveBack(lost, view, now);

    const places = new Map<string, Place>();
    for (const proof of held) {
      if (states.get(proof.y) === "SPENT") places.set(proof.y, "spent");
      else if (proof.inOutbox || returned.has(proof.y)) places.set(proof.y, "outbox");
      else places.set(proof.y, isShown(proof) ? "wallet" : "unknown");
    }
    if (returned.size > 0) onReturned();
    tell(places, returned.size, view, silentMints);
    const movedOn = new Set(held.filter(hasMovedOn).map(({ y }) => y));
    return { places, unspent, movedOn, view, silentMints };
  }

  async function askMints(asked: readonly HeldProof[], signal: AbortSignal | undefined) {
    const states = new Map<string, ProofState>();
    const silentMints: string[] = [];
    await Promise.all(
      [...ysBy("mintUrl", asked)].map(async ([mintUrl, ys]) => {
        const answer = await proofs.statesOf(mintUrl, ys, signal);
        for (const [y, state] of answer) states.set(y, state);
        if (ys.some((y) => !answer.has(y))) silentMints.push(mintUrl);
      }),
    );
    return { states, silentMints };
  }

  /** Unspent proofs that no relay shows, event by event. The `Y`s that are in the outbox now. */
  function giveBack(lost: readonly HeldProof[], view: WalletView, now: number): Set<string> {
    const returned = new Set<string>();
    const standing = new Map(store.standing().map((entry) => [entry.event.id, entry]));
    for (const [eventId, ys] of ysBy("eventId", lost)) {
      const entry = standing.get(eventId);
      // The same event again where it is whole, ours and not deleted; else the proofs go into a new one.
      const isWhole = entry?.event.pubkey === pubkeyHex && entry.ys.length === ys.length;
      if (!isWhole) store.unwrap(eventId, ys, now);
      else if (!offerAgain(eventId, view)) continue;
      for (const y of ys) returned.add(y);
    }
    return returned;
  }

  /** False when a relay has acknowledged it that does not answer now: it may well be there. */
  function offerAgain(eventId: string, view: WalletView): boolean {
    const silent = new Set(view.silent.map(({ url }) => url));
    const mayBeHeld = store.acknowledgedBy(eventId).some((url) => silent.has(url));
    store.offer(eventId, [...view.shownBy.keys()], false);
    if (mayBeHeld) return false;
    store.isHeldByNone(eventId);
    return true;
  }

  function tell(
    places: Compared["places"],
    returned: number,
    { silent, unreadable }: WalletView,
    silentMints: string[],
  ): void {
    const count = (place: Place) => [...places.values()].filter((found) => found === place).length;
    logger.info(
      {
        event: "wallet-compared",
        wallet: count("wallet"),
        outbox: count("outbox"),
        spent: count("spent"),
        unknown: count("unknown"),
        returned,
        unreadable,
        silentRelays: silent,
        silentMints,
      },
      "the proofs of the book were looked for on the relays and at the mints",
    );
  }

  return {
    /** Rejects when the book cannot be written, or with the reason of `signal`; then nothing more is written. */
    compare: (ask: Ask, signal?: AbortSignal): Promise<Compared> => oneAtATime(() => compare(ask, signal)),
  };
}

/** In a live event by its id, or by its secret in whatever event another client has put it. */
function shownProofs({ live }: WalletView) {
  const ids = new Set(live.map(({ id }) => id));
  const homes = new Map<string, string[]>();
  for (const { id, content } of live) {
    for (const { secret } of content.proofs) homes.set(secret, [...(homes.get(secret) ?? []), id]);
  }
  return {
    isShown: ({ eventId, secret }: HeldProof) => homes.has(secret) || (eventId !== null && ids.has(eventId)),
    hasMovedOn: ({ eventId, secret }: HeldProof) => homes.get(secret)?.some((id) => id !== eventId) ?? false,
  };
}

function missingFirst(held: readonly HeldProof[], missing: readonly HeldProof[]): HeldProof[] {
  const isMissing = new Set(missing.map(({ y }) => y));
  return [...missing, ...held.filter(({ y }) => !isMissing.has(y))];
}

function ysBy(key: "mintUrl" | "eventId", proofs: readonly HeldProof[]): Map<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const proof of proofs) {
    const name = proof[key];
    if (name === null) continue;
    const mates = grouped.get(name);
    if (mates) mates.push(proof.y);
    else grouped.set(name, [proof.y]);
  }
  return grouped;
}
