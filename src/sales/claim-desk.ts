import { Refusal } from "../protocol/refusal.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { SessionStore } from "../tunnels/session-store.ts";
import type { Claimant } from "./claimant.ts";
import type { PurchaseAnswer } from "./purchase-request.ts";
import { type EcashSale, isPaid, type Sale } from "./sale.ts";
import type { SaleStore } from "./sale-store.ts";
import type { Settlement } from "./settle.ts";
import type { TunnelAnswer } from "./tunnel-answer.ts";

export type ClaimDesk = ReturnType<typeof createClaimDesk>;

const MAX_MOVES_PER_HOUR = 5;

interface ClaimParts {
  sales: SaleStore;
  sessions: SessionStore;
  keeper: Keeper;
  settlement: Settlement;
  tunnel: TunnelAnswer;
  now: () => number;
  nowMs: () => number;
  /** When the backup was made that the book was restored from, in unix seconds: it does not know what it sold since. */
  backupAt?: number | undefined;
}

/**
 * Answers whoever brings a token that the book knows, from the book alone: same token and WireGuard key, same
 * answer, however often and whenever it is asked.
 */
export function createClaimDesk(parts: ClaimParts) {
  const { sales, sessions, keeper, settlement, tunnel, now, nowMs } = parts;

  async function answer(
    claimed: Sale,
    who: Claimant,
    clientKey: string,
    deadlineMs: number,
  ): Promise<PurchaseAnswer> {
    if (claimed.keyHash !== who.keyHash) {
      if (claimed.buyerHash !== who.buyerHash)
        throw taken("this token paid for another WireGuard key's tunnel");
      await move(claimed.saleId, who, clientKey);
    }
    settlement.nudge(claimed.saleId);
    await settlement.settled(claimed.saleId, deadlineMs - nowMs());
    const sale = mustFind(claimed.saleId);
    if (sale.keyHash !== who.keyHash) throw taken("this token's tunnel was moved to another WireGuard key");
    const answered = render(sale);
    // Only then: what is paid while the disk writes would be told before it is there.
    await sales.onDisk();
    return answered;
  }

  function mustFind(saleId: string): Sale {
    const sale = sales.find(saleId);
    if (!sale) throw new Error("the book has lost a sale that was claimed");
    return sale;
  }

  function render(sale: Sale): PurchaseAnswer {
    switch (sale.state) {
      case "granted":
        return tunnel.render(sale);
      case "released":
        throw released(sale, parts.backupAt);
      case "swapping":
        throw settlement.isUnwritten(sale.saleId)
          ? repeat("tunnel-unavailable", "the payment is in, but the operator's book cannot be written now")
          : repeat("mint-unreachable", "the mint has not said yet whether it took the token");
      default:
        throw repeat(
          "tunnel-unavailable",
          "the payment is in, the tunnel is not up yet; no time is lost meanwhile",
        );
    }
  }

  /**
   * The browser died before it kept its key: the same buyer's session goes to his new one, time kept. While the
   * interface is waited for, the sale may settle, end or lose its address: everything is looked at again when the
   * book is written.
   */
  async function move(saleId: string, who: Claimant, clientKey: string): Promise<void> {
    for (;;) {
      const sale = mustFind(saleId);
      const { sessionId } = sale;
      const write = () => {
        const current = mustFind(saleId);
        if (current.sessionId !== sessionId) throw new Error("the sale went to another session meanwhile");
        for (const mate of movable(current, sessionId, who, clientKey)) {
          sales.moved(mate.saleId, who.keyHash, clientKey, now());
        }
        if (sessionId !== null) sales.leaveUnpaid(sessionId, now());
      };
      if (sale.keyHash === who.keyHash || sale.state === "released") return;
      if (sessionId === null) return write();
      movable(sale, sessionId, who, clientKey);
      try {
        await keeper.move(sessionId, clientKey, now(), write);
        return;
      } catch (error) {
        if (mustFind(saleId).sessionId === sessionId && sessions.find(sessionId)) throw error;
      }
    }
  }

  /** The sales that go to the new key with this one. */
  function movable(sale: Sale, sessionId: string | null, who: Claimant, clientKey: string): Sale[] {
    const mates = sessionId === null ? [sale] : sales.ofSession(sessionId);
    const live = mates.filter((mate) => mate.state === "swapping" || isPaid(mate));
    if (live.some((mate) => mate.buyerHash !== who.buyerHash)) {
      throw taken("this token's tunnel was also paid for by somebody else and stays with its key");
    }
    if (sale.state === "granted") tunnel.liveSession(sale);
    const held = sessions.findByKey(clientKey, now());
    if (keeper.isForeign(clientKey) || (held && held.sessionId !== sessionId)) {
      throw new Refusal("policy", "the new WireGuard key already has a tunnel here; use a fresh one");
    }
    if (sales.movesSince(sale.saleId, now() - 3600) >= MAX_MOVES_PER_HOUR) {
      throw new Refusal("rate-limited", "the tunnel was moved to a new key too often; wait an hour", {
        retryAfterSeconds: 3600,
      });
    }
    return live;
  }

  return { answer };
}

function released(sale: EcashSale, backupAt: number | undefined): Refusal {
  switch (sale.releaseReason) {
    case "double-spent":
      return taken(`the mint says that this token was spent before${afterRestore(backupAt)}`);
    case "mint-unreachable":
      return new Refusal("mint-unreachable", "the mint could not swap the token; it was not touched", {
        retryAfterSeconds: 30,
      });
    default:
      return new Refusal("invalid-token", "the mint refused the token; it was not touched");
  }
}

function afterRestore(backupAt: number | undefined): string {
  if (backupAt === undefined) return "";
  const time = new Date(backupAt * 1000).toISOString();
  return `. This operator's book was restored from a backup of ${time}: if you bought here after that, ask the operator for what is left of your tunnel`;
}

function taken(message: string): Refusal {
  return new Refusal("double-spent", message);
}

function repeat(reason: "mint-unreachable" | "tunnel-unavailable", what: string): Refusal {
  const message = `${what}. Keep the token and repeat this very request: it claims the tunnel and cannot pay twice`;
  return new Refusal(reason, message, { retryAfterSeconds: 5 });
}
