/** How long a paid tunnel may stay silent, and how many in a row mean that none can come up. */
const PATIENCE_SECONDS = 900;
const SILENT_IN_A_ROW = 3;
/** Sessions watched at a time; the oldest are let go of. */
const MOST_WATCHED = 1_000;

interface Watched {
  grantedAt: number;
  isSilent: boolean;
}

export type HandshakeWatch = ReturnType<typeof createHandshakeWatch>;

/**
 * Sees from tunnels that were paid for and never shook hands that no packet comes in: a UDP port that a firewall
 * closes looks like nothing else from inside. Of this run's sales alone, for a rebuilt interface forgets handshakes.
 */
export function createHandshakeWatch(now: () => number) {
  const watched = new Map<string, Watched>();
  let silentInARow = 0;
  let isProven = false;

  function look(sessionId: string, { grantedAt, isSilent }: Watched, handshakeAt: number | undefined): void {
    if (handshakeAt !== undefined && handshakeAt >= grantedAt) {
      isProven = true;
      silentInARow = 0;
      watched.delete(sessionId);
      return;
    }
    if (isSilent || now() - grantedAt < PATIENCE_SECONDS) return;
    // One that had shaken hands before it was renewed says nothing, and neither does one that is gone.
    if (handshakeAt !== 0) {
      watched.delete(sessionId);
      return;
    }
    watched.set(sessionId, { grantedAt, isSilent: true });
    silentInARow++;
  }

  return {
    granted(sessionId: string): void {
      if (watched.has(sessionId)) return;
      watched.set(sessionId, { grantedAt: now(), isSilent: false });
      const [oldest] = watched.keys();
      if (watched.size > MOST_WATCHED && oldest !== undefined) watched.delete(oldest);
    },
    /** Ids of the sessions whose handshakes are asked for. */
    watched: (): string[] => [...watched.keys()],
    /** Unix seconds of each session's last handshake, 0 for none; undefined where it has no peer. */
    look(handshakeOf: (sessionId: string) => number | undefined): void {
      for (const [sessionId, session] of watched) look(sessionId, session, handshakeOf(sessionId));
    },
    /** The interface was in trouble: who was silent until now had a reason. */
    forgive(): void {
      for (const [sessionId, { isSilent }] of watched) if (!isSilent) watched.delete(sessionId);
    },
    /** Undefined while this run has seen too little to tell. */
    isClosed(): boolean | undefined {
      if (silentInARow >= SILENT_IN_A_ROW) return true;
      return isProven ? false : undefined;
    },
  };
}
