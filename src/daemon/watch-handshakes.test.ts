import { expect, it } from "vitest";
import { createHandshakeWatch } from "../notes/handshake-watch.ts";
import { EnforcementError, type InterfaceView } from "../tunnels/ports.ts";
import type { Session } from "../tunnels/session-row.ts";
import { watchHandshakes } from "./watch-handshakes.ts";

const START = 1_800_000_000;

function world() {
  const time = { seconds: START };
  const lastHandshake = new Map<string, number>();
  let looks = 0;
  const trouble = { code: "no-interface", message: "wg0 is gone" } as const;
  const broken = { interface: false, look: false };
  const enforcement = {
    async look(): Promise<InterfaceView> {
      looks++;
      if (broken.look) throw new EnforcementError(trouble);
      const peers = [...lastHandshake].map(([publicKey, lastHandshakeAt]) => ({
        publicKey,
        allowedIps: [],
        receivedBytes: 0,
        sentBytes: 0,
        lastHandshakeAt,
      }));
      return { publicKey: "", listenPort: 51820, peers };
    },
  };
  const handshakes = createHandshakeWatch(() => time.seconds);
  return {
    time,
    broken,
    handshakes,
    looks: () => looks,
    shakesHands: (sessionId: string, at: number) => void lastHandshake.set(`key of ${sessionId}`, at),
    watch: () =>
      watchHandshakes(
        { enforcement, keeper: { interfaceTrouble: () => (broken.interface ? trouble : undefined) } },
        { find: (sessionId) => ({ publicKey: `key of ${sessionId}` }) as Session },
        handshakes,
      ),
    async silentFor15Minutes(...sessionIds: string[]) {
      for (const sessionId of sessionIds) {
        handshakes.granted(sessionId);
        lastHandshake.set(`key of ${sessionId}`, 0);
      }
      time.seconds += 900;
      await this.watch();
    },
  };
}

it("finds each session's handshake by its key, and asks nothing when nobody is waited for", async () => {
  const market = world();
  await market.watch();
  expect(market.looks()).toBe(0);
  await market.silentFor15Minutes("a", "b", "c");
  expect(market.handshakes.isClosed()).toBe(true);
  market.shakesHands("b", market.time.seconds);
  await market.watch();
  expect(market.handshakes.isClosed()).toBe(false);
});

it.each(["interface", "look"] as const)(
  "blames no port while the interface is in trouble: %s",
  async (part) => {
    const market = world();
    market.broken[part] = true;
    await market.silentFor15Minutes("a", "b", "c");
    expect(market.handshakes.watched()).toEqual([]);
    market.broken[part] = false;
    await market.watch();
    expect(market.handshakes.isClosed()).toBeUndefined();
  },
);
