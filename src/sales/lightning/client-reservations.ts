import { Refusal } from "../../protocol/refusal.ts";

/** Addresses that one client may keep without paying (rule 25). */
const MOST_PER_CLIENT = 2;

/** Who reserved what, in memory only: a client is a keyed hash that ends with the process. */
export function createClientReservations(reservedSessionIds: () => readonly string[]) {
  const clientOf = new Map<string, string>();

  function forgetPast(): void {
    const reserved = new Set(reservedSessionIds());
    for (const sessionId of clientOf.keys()) if (!reserved.has(sessionId)) clientOf.delete(sessionId);
  }

  return {
    /** Throws `Refusal` `rate-limited` when the client has as many unpaid addresses as it may. */
    check(client: string, retryAfterSeconds: number): void {
      forgetPast();
      const count = [...clientOf.values()].filter((other) => other === client).length;
      if (count < MOST_PER_CLIENT) return;
      throw new Refusal("rate-limited", "Pay one of your invoices first, or let it expire.", {
        retryAfterSeconds,
      });
    },
    note: (sessionId: string, client: string): void => {
      if (!clientOf.has(sessionId)) clientOf.set(sessionId, client);
    },
  };
}
