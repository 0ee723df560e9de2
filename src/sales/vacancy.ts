import { Refusal } from "../protocol/refusal.ts";
import type { AddressPool } from "../tunnels/address-pool.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { SessionStore } from "../tunnels/session-store.ts";
import type { GrantStore } from "./grant-store.ts";
import type { ReservationStore } from "./reservation-store.ts";

export type Vacancy = ReturnType<typeof createVacancy>;

interface VacancyParts {
  pool: AddressPool;
  sessions: SessionStore;
  grants: GrantStore;
  reservations: ReservationStore;
  keeper: Keeper;
  /** New sessions are not sold now (paused, disk): the message for the buyer. Renewals go through. */
  closedToStrangers: () => string | undefined;
  now: () => number;
}

/** Whether a tunnel could come up for a buyer now, looked at before he pays. */
export function createVacancy(parts: VacancyParts) {
  const { pool, sessions, grants, reservations, keeper, now } = parts;

  /** Buyers who paid and wait for an address come first, then `ahead` others. */
  function hasAddress(ahead = 0): boolean {
    const taken = grants.owedWithoutSession() + ahead - reservations.yielding(now());
    return taken < 0 || pool.countFree(now(), taken + 1) > taken;
  }

  function isRenewal(clientKey: string): boolean {
    return sessions.findByKey(clientKey, now()) !== undefined;
  }

  function isCustomer(clientKey: string): boolean {
    const session = sessions.findByKey(clientKey, now());
    return session !== undefined && (session.status === "active" || session.endedAt !== null);
  }

  return {
    hasAddress,
    /** The key has a session that a purchase would extend, be it one that is not paid yet. */
    isRenewal,
    /** The key has a tunnel, or had one a moment ago: limits for strangers spare it (rule 31). */
    isCustomer,
    /** Throws `Refusal`: `policy`, `tunnel-unavailable`, `no-ip-available`. */
    check(clientKey: string, ahead: number): void {
      if (keeper.isForeign(clientKey)) {
        throw new Refusal("policy", "this WireGuard key is the operator's own business; use another one");
      }
      if (keeper.trouble() !== undefined) throw tunnelUnavailable("the tunnel cannot be served now");
      if (isCustomer(clientKey)) return;
      const closed = parts.closedToStrangers();
      if (closed !== undefined) throw tunnelUnavailable(closed);
      if (!isRenewal(clientKey) && !hasAddress(ahead)) throw noAddress();
    },
  };
}

export function noAddress(): Refusal {
  return new Refusal("no-ip-available", "all tunnels are taken; your payment was not touched", {
    retryAfterSeconds: 60,
  });
}

function tunnelUnavailable(message: string): Refusal {
  return new Refusal("tunnel-unavailable", `${message}; your payment was not touched`, {
    retryAfterSeconds: 30,
  });
}
