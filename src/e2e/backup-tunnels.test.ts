import { describe, expect, it } from "vitest";
import type { BooksReport } from "../books/report.ts";
import { createCarefulOperator } from "../testing/lost-disk.ts";
import { createTunnelWorld, type TunnelWorld } from "../testing/namespaces.ts";
import { openTunnelMarket, type TunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";

const TAG = "e2ebak";
const missing = await tunnelsMissing(Boolean(process.env.CI));

/** A new host in the place of the old one: its name leads there, its interface has the key and no peers. */
async function moveToNewHost({ world, operator }: TunnelMarket): Promise<TunnelWorld> {
  await world.destroy();
  const serverPrivateKey = operator.serverKeys.privateKey;
  return createTunnelWorld({ serverPrivateKey, subnetCidr: "10.66.42.0/24", tag: TAG });
}

describe.skipIf(missing)(`a lost host with real tunnels${missing ? ` (${missing})` : ""}`, () => {
  it("restored on another from a backup taken while it sold: every tunnel of it carries packets again", {
    timeout: 240_000,
  }, async () => {
    const market = await openTunnelMarket({ tag: TAG, buyers: 1 });
    let newHost: TunnelWorld | undefined;
    try {
      const { operator, world } = market;
      const careful = await createCarefulOperator(operator);
      await operator.start({ timeoutMs: 60_000 });
      const before = [await market.buy(), await market.buy(), await market.buy()];
      for (const { conf, buyer } of before) {
        await world.bringUpBuyer(conf, buyer.wireguard.privateKey);
        await expect.poll(() => world.ping(), { timeout: 30_000 }).toBe(true);
      }

      const meanwhile = Array.from({ length: 6 }, () => market.buy());
      const file = await careful.backUp("backup.age");
      const sold = [...before, ...(await Promise.all(meanwhile))];
      await operator.kill();
      careful.loseTheDisk();

      const other = await moveToNewHost(market);
      newHost = other;
      expect(await market.peers()).toEqual(new Map());
      await careful.restore(file);
      await operator.start({ timeoutMs: 60_000 });

      const peers = await market.peers();
      const restored = sold.filter(({ buyer }) => peers.has(buyer.wireguard.publicKey));
      expect(restored.slice(0, before.length)).toEqual(before);
      expect(peers.size).toBe(restored.length);
      for (const { conf, buyer } of restored) {
        await other.bringUpBuyer(conf, buyer.wireguard.privateKey);
        await expect.poll(() => other.ping(), { timeout: 30_000 }).toBe(true);
        expect(await other.fetchThroughTunnel()).toContain(other.natAddress);
      }
      const { exitCode, stdout } = await operator.command(["books", "--json"], 60_000);
      expect(JSON.parse(stdout) as BooksReport).toMatchObject({
        balanced: true,
        differences: [],
        tunnels: { live: restored.length, up: restored.length },
        payments: { granted: restored.length },
      });
      expect(exitCode).toBe(0);
    } finally {
      await newHost?.destroy();
      await market.destroy();
    }
  });
});
