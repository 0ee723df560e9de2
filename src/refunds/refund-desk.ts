import type { Logger } from "pino";
import { boundary } from "../boundary.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { Mint, MintLink, TokenReader } from "../sales/ports.ts";
import { type Doubt, resolveSwap } from "../sales/resolve-swap.ts";
import type { SaleStore } from "../sales/sale-store.ts";
import type { RefundAnswer } from "./refund-messages.ts";
import type { Refund, RefundStore } from "./refund-store.ts";

export type RefundDesk = ReturnType<typeof createRefundDesk>;

interface RefundParts {
  store: RefundStore;
  sales: Pick<SaleStore, "findClaim">;
  reader: TokenReader;
  link: MintLink;
  findMint: (mintKey: string) => Mint | undefined;
  /** How long after a doubtful request the mint's word is final. */
  settleMs: number;
  now: () => number;
  nowMs: () => number;
  logger: Logger;
}

/** Between two looks at a refund whose swap has an unknown outcome. */
const PAUSE_MS = 5_000;

interface Progress {
  doubt: Doubt;
  lastEndMs: number;
  running: Promise<void> | undefined;
}

/**
 * Gives a token back that bought nothing, less the mint's fee: a swap as a sale's is, journaled before it is sent and
 * resolved by the same rules (docs/adr/0002), whose outputs go out. A token is refunded once: repeated, it is answered
 * with the same new token. What a sale claims is never refunded, and what was refunded is never sold.
 */
export function createRefundDesk(parts: RefundParts) {
  const { store, sales, reader, link, findMint, settleMs, now, nowMs, logger } = parts;
  const progress = new Map<string, Progress>();
  const opening = new Map<string, Promise<string>>();

  async function refund(text: string, lockedTo: string | undefined): Promise<RefundAnswer> {
    const token = reader.decode(text);
    const known = store.findClaim(token.mintKey, token.ys);
    if (known.kind === "overlap") return refused("some of its proofs were given back with another token");
    if (known.kind === "same") {
      await advance(known.refund.refundId);
      return answer(store.mustFind(known.refund.refundId), lockedTo);
    }
    const name = token.ys.toSorted().join();
    const opened = opening.get(name) ?? open(token, lockedTo).finally(() => opening.delete(name));
    opening.set(name, opened);
    const refundId = await opened;
    await advance(refundId);
    return answer(store.mustFind(refundId), lockedTo);
  }

  /** Everything that can refuse, refuses before the swap is in the book. Throws `Refusal`. */
  async function open(
    token: ReturnType<TokenReader["decode"]>,
    lockedTo: string | undefined,
  ): Promise<string> {
    refuseSold(token);
    const mint = findMint(token.mintKey);
    if (!mint || token.unit !== "sat")
      throw new Refusal("wrong-mint", "it is of no mint of the config, or not in sat");
    reader.checkLocks(token, now());
    const journal = await mint.prepareRefund(token, lockedTo);
    const { mintKey, faceSat, ys } = token;
    const opened = store.open({ mintKey, mintUrl: mint.url, faceSat, lockedTo, ys, journal }, now());
    if (opened.kind === "claimed") {
      refuseSold(token);
      throw new Refusal("double-spent", "another refund has some of its proofs");
    }
    boundary("refund-opened");
    progress.set(opened.refundId, fresh(undefined));
    return opened.refundId;
  }

  function refuseSold({ mintKey, ys }: ReturnType<TokenReader["decode"]>): void {
    const sold = sales.findClaim(mintKey, ys);
    if (sold.kind === "overlap") throw new Refusal("double-spent", "some of its proofs paid for a tunnel");
    if (sold.kind !== "same") return;
    const isOpen = sold.sale.state === "swapping";
    throw new Refusal("double-spent", isOpen ? "its sale is not settled yet" : "it paid for a tunnel here");
  }

  /** One round at a time for each refund. */
  function advance(refundId: string): Promise<void> {
    const known = progress.get(refundId);
    const state = known ?? fresh(nowMs());
    if (!known) progress.set(refundId, state);
    state.running ??= round(refundId, state).finally(() => {
      state.running = undefined;
      state.lastEndMs = nowMs();
      if (store.mustFind(refundId).state !== "swapping") progress.delete(refundId);
    });
    return state.running;
  }

  async function round(refundId: string, { doubt }: Progress): Promise<void> {
    const refund = store.mustFind(refundId);
    if (refund.state !== "swapping") return;
    const journal = store.journal(refundId);
    const resolution = await resolveSwap(link, [journal], doubt, { settleMs, nowMs }).catch(
      (error: unknown) => {
        doubt.ambiguousAtMs = nowMs();
        throw error;
      },
    );
    boundary("refund-unwritten");
    switch (resolution.kind) {
      case "paid": {
        // Whatever keeps the book from being written: what the mint signed, a restore finds again.
        doubt.ambiguousAtMs ??= nowMs();
        const { proofs, flaw } = resolution;
        const givenSat = proofs.reduce((sum, { amountSat }) => sum + amountSat, 0);
        const token = proofs.length === 0 ? null : reader.encode(journal.mintUrl, proofs);
        store.refunded(refundId, token, givenSat, flaw, now());
        if (flaw !== undefined) findMint(refund.mintKey)?.shutOff(flaw);
        logger.info({ event: "refunded", faceSat: refund.faceSat, givenSat }, "a token was given back");
        break;
      }
      case "released":
        store.released(refundId, resolution.reason, now());
        break;
      case "renew":
        // Nothing was taken: asked again, the swap is prepared anew.
        store.released(refundId, "mint-unreachable", now());
        break;
      case "open":
        logger.warn({ event: "refund-open", why: resolution.why }, "a refund's swap is of unknown outcome");
    }
    boundary("refund-written");
  }

  return {
    /** Rejects only when the book cannot be read or written. */
    refund: (text: string, lockedTo: string | undefined): Promise<RefundAnswer> =>
      refund(text, lockedTo).catch((error: unknown) => {
        if (error instanceof Refusal) return refused(error.message);
        throw error;
      }),
    /** Takes up what a former run, or a silent mint, left open. */
    async sweep(): Promise<void> {
      const due = store.openRefunds().filter((refundId) => {
        const state = progress.get(refundId);
        return state === undefined || (!state.running && nowMs() - state.lastEndMs >= PAUSE_MS);
      });
      await Promise.all(due.map(advance));
    },
  };
}

function fresh(ambiguousAtMs: number | undefined): Progress {
  return { doubt: { ambiguousAtMs, foundSpentAtMs: undefined }, lastEndMs: 0, running: undefined };
}

function answer(
  { state, token, faceSat, feeSat, givenSat, lockedTo }: Refund,
  wanted: string | undefined,
): RefundAnswer {
  if (lockedTo !== (wanted ?? null))
    return refused("it is being given back otherwise locked: leave --to as it was");
  if (state === "refunded") return { kind: "refunded", token, faceSat, feeSat, givenSat };
  if (state === "released")
    return refused("the mint did not swap it: it was spent before, or its keysets changed; try again");
  return { kind: "open", message: "the mint has not said yet what it did; repeat this very refund" };
}

function refused(message: string): RefundAnswer {
  return { kind: "refused", message };
}
