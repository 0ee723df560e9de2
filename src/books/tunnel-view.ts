import type { Keeper } from "../tunnels/keeper.ts";
import { type Enforcement, EnforcementError } from "../tunnels/ports.ts";
import { compare } from "../tunnels/reconcile.ts";
import type { SessionStore } from "../tunnels/session-store.ts";

export interface TunnelView {
  live: number;
  /** Ids of live sessions without their peer; `unknown` while the interface does not answer. */
  without: readonly string[] | "unknown";
}

/** Each live session has its peer on the interface. What lacks is looked at again after a tick, which puts it back. */
export async function viewTunnels(
  enforcement: Pick<Enforcement, "look">,
  sessions: Pick<SessionStore, "live" | "desiredPeers">,
  keeper: Pick<Keeper, "tick">,
): Promise<TunnelView> {
  const first = await look(enforcement, sessions);
  if (first.without === "unknown" || first.without.length === 0) return first;
  await keeper.tick();
  return look(enforcement, sessions);
}

async function look(
  enforcement: Pick<Enforcement, "look">,
  sessions: Pick<SessionStore, "live" | "desiredPeers">,
): Promise<TunnelView> {
  try {
    const view = await enforcement.look();
    const booked = { desired: sessions.desiredPeers(), pendingKeys: [], departingKeys: [] };
    const lacking = new Set(compare(view, booked, false).change.set.map(({ publicKey }) => publicKey));
    const usable = new Set(booked.desired.map(({ publicKey }) => publicKey));
    const live = sessions.live().filter(({ publicKey }) => usable.has(publicKey));
    return {
      live: live.length,
      without: live.filter(({ publicKey }) => lacking.has(publicKey)).map(({ sessionId }) => sessionId),
    };
  } catch (error) {
    if (!(error instanceof EnforcementError)) throw error;
    return { live: sessions.live().length, without: "unknown" };
  }
}
