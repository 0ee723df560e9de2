import type { Logger } from "pino";
import { boundary } from "../boundary.ts";
import { describePrice } from "../protocol/price.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import { EnforcementError } from "../tunnels/ports.ts";
import type { GrantStore } from "./grant-store.ts";
import type { Sale } from "./sale.ts";

/** Between tries to put up a tunnel that is paid for, and between a buyer's own nudges. */
export const GRANT_PAUSE_MS = 1_000;

/** What may be told of a sale: nothing in it is the buyer's. */
export interface GrantedSale {
  sessionId: string;
  method: Sale["method"];
  tier: string;
  amountSat: number;
}

interface GrantingParts {
  store: GrantStore;
  keeper: Keeper;
  now: () => number;
  logger: Logger;
  /** The pool changed, or somebody waits. */
  onChange: () => void;
  /** The tunnel of a sale is up. */
  onGranted: (sale: GrantedSale) => void;
}

/**
 * Puts up the tunnel of a sale that is paid. What stands in its way makes it `owed`, to be tried again; the buyer's
 * time starts when it is up. Rejects only when the book cannot be written.
 */
export function createGranting({ store, keeper, now, logger, onChange, onGranted }: GrantingParts) {
  return async function grant(sale: Sale): Promise<void> {
    if (!store.attachSession(sale.saleId, now())) {
      store.owed(sale.saleId);
      if (sale.state === "owed") return;
      boundary("owed-written");
      logger.warn({ event: "sale-owed" }, "a paid tunnel waits for an address");
      onChange();
      return;
    }
    boundary("session-attached");
    const { sessionId } = store.mustFind(sale.saleId);
    if (!sessionId) throw new Error("a sale lost the session it was just given");
    try {
      const admitted = await keeper.admit(sessionId, sale.bought, (grantedAt) =>
        store.granted(sale.saleId, grantedAt),
      );
      // Revoked between the two: what was paid since is for a tunnel of its own.
      if (!admitted) return grant(store.mustFind(sale.saleId));
    } catch (error) {
      if (!(error instanceof EnforcementError)) throw error;
      store.owed(sale.saleId);
      if (sale.state === "owed") return;
      logger.error({ event: "sale-owed", code: error.trouble.code }, "a paid tunnel waits for the interface");
      return;
    }
    boundary("sale-granted");
    const { method, price, faceSat } = sale;
    const told = { method, tier: describePrice(price), amountSat: faceSat };
    logger.info({ event: "purchase-granted", ...told }, "a tunnel was granted");
    onGranted({ ...told, sessionId });
    onChange();
  };
}
