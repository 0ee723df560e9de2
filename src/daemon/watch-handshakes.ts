import type { HandshakeWatch } from "../notes/handshake-watch.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import { type Enforcement, EnforcementError } from "../tunnels/ports.ts";
import type { SessionStore } from "../tunnels/session-store.ts";

interface Interface {
  enforcement: Pick<Enforcement, "look">;
  keeper: Pick<Keeper, "interfaceTrouble">;
}

/** Asks the interface only while there is a session to ask about. */
export async function watchHandshakes(
  { enforcement, keeper }: Interface,
  sessions: Pick<SessionStore, "find">,
  handshakes: Pick<HandshakeWatch, "watched" | "look" | "forgive">,
): Promise<void> {
  if (keeper.interfaceTrouble()) handshakes.forgive();
  if (handshakes.watched().length === 0) return;
  try {
    const { peers } = await enforcement.look();
    const byKey = new Map(peers.map(({ publicKey, lastHandshakeAt }) => [publicKey, lastHandshakeAt]));
    handshakes.look((sessionId) => byKey.get(sessions.find(sessionId)?.publicKey ?? ""));
  } catch (error) {
    if (!(error instanceof EnforcementError)) throw error;
    handshakes.forgive();
  }
}
