import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { WEB_ADDRESS6 } from "../testing/namespaces.ts";
import { openTunnelMarket, type TunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";

const missing = await tunnelsMissing(Boolean(process.env.CI));
const MiB = 2 ** 20;

describe.skipIf(missing).each(["kernel", "daemon"] as const)(
  `tunnels with IPv6, held by the %s${missing ? ` (skipped: ${missing})` : ""}`,
  (enforcement) => {
    let market: TunnelMarket;

    beforeAll(async () => {
      market = await openTunnelMarket({
        tag: `e2e6${enforcement.slice(0, 1)}`,
        prices: [
          { amount: 10, unit: "hour" },
          { amount: 10, unit: "GiB" },
        ],
        subnet6: "fd66:42::/64",
        enforcement,
      });
    }, 90_000);
    afterEach(() => market.operator.stop());
    afterAll(() => market?.destroy(), 30_000);

    const fetch6 = (path = "/") =>
      market.world.exec("buyer1", [
        ...["curl", "-q", "-g", "--noproxy", "*", "--silent", "--fail", "--max-time", "3"],
        `http://[${WEB_ADDRESS6}]${path}`,
      ]);

    it("carry pages of both families, counted together, from the address that the .conf names", async () => {
      await market.operator.start();
      const sold = await market.buy({ unit: "GiB" });
      const { publicKey, privateKey } = sold.buyer.wireguard;
      expect(sold.conf).toContain(`Address = ${sold.address}/32, fd66:42::a42:2a02/128\n`);
      expect((await market.peers()).get(publicKey)).toBe(`${sold.address}/32 fd66:42::a42:2a02/128`);
      await market.world.bringUpBuyer(sold.conf, privateKey);
      expect(await fetch6()).toBe("a page on the internet, asked for by 2001:db8:113::1\n");
      expect(await market.world.fetchThroughTunnel()).toContain("a page on the internet");
      await fetch6(`/bytes/${MiB}`);
      await market.world.fetchThroughTunnel({ path: `/bytes/${MiB}` });
      await eventually(() => market.booked(publicKey).data_used_bytes > 2 * MiB);
      market.leaveBytes(publicKey, 1000);
      await market.world
        .fetchThroughTunnel({ path: `/bytes/${MiB}`, timeoutSeconds: 2 })
        .catch(() => undefined);
      await eventually(async () => !(await market.peers()).has(publicKey));
      await expect(fetch6()).rejects.toThrow(/exit code/);
    });

    it("are not sold while the interface has no IPv6 address", async () => {
      const { interfaceName } = market.world;
      await market.operator.start();
      await market.world.exec("operator", ["ip", "addr", "del", "fd66:42::1/64", "dev", interfaceName]);
      await eventually(async () => (await market.health()).status === 503);
      expect((await market.health()).wireguard).toContain("no address in fd66:42::/64");
      await market.world.exec("operator", ["ip", "addr", "add", "fd66:42::1/64", "dev", interfaceName]);
      await eventually(async () => (await market.health()).status === 200);
    });

    it("carry none without subnet6, not even for a buyer who takes an address", async () => {
      market.operator.replaceInConfig('subnet6 = "fd66:42::/64"', "");
      await market.operator.start();
      const sold = await market.buy();
      const greedy = sold.conf.replace(/^Address = .*$/m, (line) => `${line}, fd66:42::a42:2a09/128`);
      await market.world.bringUpBuyer(greedy, sold.buyer.wireguard.privateKey);
      expect(sold.conf).toContain(`Address = ${sold.address}/32\n`);
      expect(await market.world.fetchThroughTunnel()).toContain("a page on the internet");
      await expect(fetch6()).rejects.toThrow(/exit code/);
    });
  },
);
