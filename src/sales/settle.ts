import type { Logger } from "pino";
import { boundary } from "../boundary.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import { createGranting, GRANT_PAUSE_MS, type GrantedSale } from "./granting.ts";
import type { Mint, MintLink } from "./ports.ts";
import { createReclaim } from "./reclaim.ts";
import { type Doubt, type Resolution, resolveSwap } from "./resolve-swap.ts";
import { type EcashSale, isAtRest, type Sale } from "./sale.ts";
import type { SaleStore } from "./sale-store.ts";
import { createWaiters } from "./waiters.ts";

export type Settlement = ReturnType<typeof createSettlement>;

export interface SettlementTimes {
  /** How far apart two looks at the mint must be before its word counts after a doubt. */
  settleMs: number;
  /** How long an unresolved sale keeps an address. */
  addressHoldSeconds: number;
  /** Pauses between rounds; the last one goes on for ever. */
  pausesMs: readonly number[];
}

export const defaultTimes: SettlementTimes = {
  settleMs: 60_000,
  addressHoldSeconds: 600,
  pausesMs: [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000],
};

/** Definite refusals after which a sale still gets a fresh attempt, at most. */
const MAX_ATTEMPTS = 3;
/** Swaps of unknown outcome at one mint beyond which it gets no more. */
const MAX_DOUBTFUL_AT_MINT = 3;

interface SettlementParts {
  store: SaleStore;
  keeper: Keeper;
  link: MintLink;
  findMint: (mintKey: string) => Mint | undefined;
  now: () => number;
  nowMs: () => number;
  logger: Logger;
  times: SettlementTimes;
  /** Proofs came in, or the pool, or a mint's standing changed. */
  onChange: () => void;
  onGranted: (sale: GrantedSale) => void;
}

/** What is known of an open sale beside the book. Lost with the process: a start takes everything as doubtful. */
interface Progress {
  doubt: Doubt;
  rounds: number;
  lastEndMs: number;
  running: Promise<void> | undefined;
  /** The mint has signed and the book could not be written: kept, for the mint may be gone when it can. */
  unwritten: Extract<Resolution, { kind: "paid" }> | undefined;
}

/**
 * Brings every open sale to rest: one runner per sale, the same for a fresh sale, a retry and a recovery. Nothing a
 * buyer does or breaks off stops it.
 */
export function createSettlement(parts: SettlementParts) {
  const { store, link, findMint, now, nowMs, logger, times, onChange } = parts;
  const progress = new Map<string, Progress>();
  const grant = createGranting(parts);
  const reclaim = createReclaim(parts);
  let reclaiming: Promise<void> | undefined;
  const waiters = createWaiters();

  function progressOf(saleId: string): Progress {
    const known = progress.get(saleId);
    if (known) return known;
    const found = freshProgress(doubtful(nowMs()));
    progress.set(saleId, found);
    return found;
  }

  function isDue(sale: Sale): boolean {
    const { rounds, lastEndMs, running } = progressOf(sale.saleId);
    if (running) return false;
    if (rounds === 0) return true;
    const pauseMs =
      sale.state === "swapping" ? (times.pausesMs[rounds - 1] ?? times.pausesMs.at(-1)) : GRANT_PAUSE_MS;
    return nowMs() - lastEndMs >= (pauseMs ?? 0);
  }

  function advance(saleId: string): Promise<void> {
    const state = progressOf(saleId);
    state.running ??= wholeRound(saleId, state);
    return state.running;
  }

  async function wholeRound(saleId: string, state: Progress): Promise<void> {
    let rests = false;
    try {
      await round(saleId, state);
      const sale = store.find(saleId);
      rests = !sale || isAtRest(sale);
    } catch (error) {
      // The book could not be written, or worse: what was sent by then is not in it.
      state.doubt.ambiguousAtMs = nowMs();
      logger.error({ event: "sale-stuck", error: nameOf(error) }, "a sale could not be taken further now");
    }
    state.running = undefined;
    state.lastEndMs = nowMs();
    state.rounds++;
    if (rests) progress.delete(saleId);
    waiters.wake(saleId);
  }

  async function round(saleId: string, state: Progress): Promise<void> {
    let sale = store.find(saleId);
    if (sale?.state === "swapping") await settleSwap(sale, state);
    sale = store.find(saleId);
    if (sale?.state === "paid" || sale?.state === "owed") await grant(sale);
  }

  async function settleSwap(sale: EcashSale, state: Progress): Promise<void> {
    if (state.unwritten) return record(sale, state.unwritten, state);
    for (let attempt = 1; ; attempt++) {
      await store.onDisk();
      const resolution = await resolveSwap(link, store.journals(sale.saleId), state.doubt, {
        ...times,
        nowMs,
      });
      if (resolution.kind !== "renew") {
        return record(sale, resolution, state);
      }
      if (attempt === MAX_ATTEMPTS || !(await renew(sale))) {
        release(sale, "mint-unreachable");
        return;
      }
    }
  }

  function record(
    sale: EcashSale,
    resolution: Exclude<Resolution, { kind: "renew" }>,
    state: Progress,
  ): void {
    switch (resolution.kind) {
      case "paid":
        boundary("paid-unwritten");
        state.unwritten = resolution;
        store.paid(sale.saleId, resolution.proofs, resolution.flaw, now());
        state.unwritten = undefined;
        // The disk writes while the tunnel comes up; who answers the buyer waits for it.
        store.onDisk().catch(() => undefined);
        boundary("sale-paid");
        if (resolution.flaw !== undefined) distrust(sale, resolution.flaw);
        onChange();
        return;
      case "released":
        release(sale, resolution.reason);
        return;
      case "open":
        giveBackOldAddress(sale);
        logger.warn(
          { event: "sale-open", why: resolution.why },
          "a swap's outcome is unknown; the mint is asked again",
        );
    }
  }

  function release(sale: EcashSale, reason: Extract<Resolution, { kind: "released" }>["reason"]): void {
    boundary("release-unwritten");
    store.released(sale.saleId, reason, now());
    boundary("release-written");
    const { amount, currency, unit } = sale.price;
    logger.info(
      {
        event: "sale-released",
        method: "cashu",
        tier: `${amount} ${currency}/${unit}`,
        amountSat: sale.faceSat,
        reason,
      },
      "the mint refused the token; nothing was taken",
    );
    onChange();
  }

  /** Writes a fresh attempt down; false when the mint, or its fee today, allows none. */
  async function renew(sale: EcashSale): Promise<boolean> {
    const last = store.journals(sale.saleId).at(-1);
    const next = last && (await findMint(sale.mintKey)?.renewSwap(last));
    if (!next) return false;
    boundary("attempt-prepared");
    store.newAttempt(sale.saleId, next, now());
    boundary("attempt-written");
    return true;
  }

  function giveBackOldAddress(sale: EcashSale): void {
    if (sale.sessionId === null || now() - sale.createdAt < times.addressHoldSeconds) return;
    if (store.releaseAddress(sale.saleId, now()) !== "applied") return;
    boundary("address-released");
    onChange();
  }

  /** A mint that answers a swap wrongly is not used again; the buyer is served, the loss is the operator's. */
  function distrust(sale: EcashSale, flaw: string): void {
    logger.error(
      { event: "mint-wrong", mint: sale.mintUrl, flaw },
      "the mint answered a swap wrongly and is shut off",
    );
    findMint(sale.mintKey)?.shutOff(flaw);
  }

  return {
    /** Starts a sale whose swap has not been sent yet; resolves after its first round, whatever came of it. */
    begin(saleId: string): Promise<void> {
      progress.set(saleId, freshProgress(certain()));
      return advance(saleId);
    },
    /** Takes one sale as far as it goes now; a second call joins the first. Never rejects. */
    advance,
    /** Resolves when the sale is at rest, or paid and no round can end it now, or after `timeoutMs`, whichever comes first. */
    async settled(saleId: string, timeoutMs: number): Promise<void> {
      const deadline = nowMs() + timeoutMs;
      while (nowMs() < deadline) {
        const sale = store.find(saleId);
        if (!sale || isAtRest(sale)) return;
        const { running, unwritten } = progressOf(saleId);
        if (running === undefined && (sale.state !== "swapping" || unwritten)) return;
        await waiters.wait(saleId, deadline - nowMs());
      }
    },
    /** Whether the mint has signed, and the book alone is waited for. */
    isUnwritten: (saleId: string): boolean => progress.get(saleId)?.unwritten !== undefined,
    /** Nudges a sale that waits for its next round, because its buyer asks. */
    nudge(saleId: string): void {
      const { rounds, lastEndMs } = progressOf(saleId);
      if (rounds === 0 || nowMs() - lastEndMs >= GRANT_PAUSE_MS) void advance(saleId);
    },
    /**
     * Advances every open sale whose pause is over: owed ones in the order of payment, then the unresolved. Waits for
     * the first round since the start of each (the recovery), but not for later ones: a silent mint must not hold up
     * those who have paid.
     */
    async sweep(): Promise<void> {
      reclaiming ??= reclaim().finally(() => {
        reclaiming = undefined;
      });
      const due = store.openSales().filter(isDue);
      const swapping = due.filter((sale) => sale.state === "swapping");
      const recovering = swapping.filter((sale) => progressOf(sale.saleId).rounds === 0);
      const rounds = new Map(swapping.map((sale) => [sale.saleId, advance(sale.saleId)]));
      for (const sale of due.filter((s) => s.state !== "swapping")) await advance(sale.saleId);
      await Promise.all(recovering.map((sale) => rounds.get(sale.saleId)));
    },
    /** Resolves once no round is under way; for a shutdown, and for whoever wants to see what came of a sweep. */
    async idle(): Promise<void> {
      for (;;) {
        const running = [...progress.values()].flatMap((state) => state.running ?? []);
        if (reclaiming) running.push(reclaiming);
        if (running.length === 0) return;
        await Promise.all(running);
      }
    },
    /** False while too many swaps at this mint have an unknown outcome. */
    hasRoomAt: (mintKey: string): boolean =>
      store
        .openSales()
        .filter((sale) => sale.state === "swapping" && sale.mintKey === mintKey)
        .filter((sale) => progressOf(sale.saleId).doubt.ambiguousAtMs !== undefined).length <
      MAX_DOUBTFUL_AT_MINT,
  };
}

function freshProgress(doubt: Doubt): Progress {
  return { doubt, rounds: 0, lastEndMs: 0, running: undefined, unwritten: undefined };
}

function certain(): Doubt {
  return { ambiguousAtMs: undefined, foundSpentAtMs: undefined };
}

function doubtful(nowMs: number): Doubt {
  return { ambiguousAtMs: nowMs, foundSpentAtMs: undefined };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
