import { Refusal } from "../protocol/refusal.ts";
import { renderConf, type ServerEnd } from "../tunnels/conf.ts";
import type { Session } from "../tunnels/session-row.ts";
import type { SessionStore } from "../tunnels/session-store.ts";
import type { PurchaseAnswer } from "./purchase-request.ts";
import type { Sale } from "./sale.ts";

export type TunnelAnswer = ReturnType<typeof createTunnelAnswer>;

/** What a buyer whose sale is granted gets, rendered from the book at the moment when he asks. */
export function createTunnelAnswer(sessions: SessionStore, server: ServerEnd, now: () => number) {
  /** A granted tunnel whose session is pending again has ended: a renewal is only under way. */
  function liveSession(sale: Sale): Session {
    const session = sale.sessionId === null ? undefined : sessions.find(sale.sessionId);
    if (session?.status === "active") return session;
    const when = session?.endedAt ? ` at ${new Date(session.endedAt * 1000).toISOString()}` : "";
    const payment = sale.method === "cashu" ? "token" : "payment";
    if (session?.status === "revoked") {
      throw new Refusal("policy", `the operator revoked this ${payment}'s tunnel${when}`);
    }
    throw new Refusal("double-spent", `this ${payment}'s tunnel ended${when}`);
  }

  return {
    /** Throws `Refusal`: `double-spent` once the tunnel has ended, `policy` when the operator ended it. */
    liveSession,
    /** Throws as `liveSession` does. `claimUrl`: where the holder of the preimage gets it again. */
    render(sale: Sale, claimUrl?: string): PurchaseAnswer {
      const session = liveSession(sale);
      const { price, method } = sale;
      return {
        config: renderConf(server, session, { price, method, claimUrl }, now()),
        expiresAt: session.expiresAt,
      };
    },
  };
}
