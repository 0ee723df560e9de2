import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectWireguard } from "./detect-wireguard.ts";
import { createTunnelWorld, type TunnelWorld } from "./namespaces.ts";
import { generateWireguardKeys } from "./wireguard-keys.ts";

const found = await detectWireguard();
if (!found.available && process.env.CI) throw new Error(`this lane may not be skipped: ${found.why}`);
const reason = found.available ? "" : ` (skipped: ${found.why})`;

describe.skipIf(!found.available)(`a tunnel world${reason}`, () => {
  const server = generateWireguardKeys();
  const buyer = generateWireguardKeys();
  const options = {
    serverPrivateKey: server.privateKey,
    subnetCidr: "10.66.42.0/24",
    tag: "nstest",
    buyers: 2,
  };
  let world: TunnelWorld;

  beforeAll(async () => {
    // The second stands for a run after a crash: what the first left must not be in its way.
    await createTunnelWorld(options);
    world = await createTunnelWorld(options);
  }, 60_000);
  afterAll(async () => {
    await world?.destroy();
    await world?.destroy();
  }, 60_000);

  const conf = (address: string) =>
    [
      "# a header line",
      "[Interface]",
      "PrivateKey = <PASTE YOUR OWN PRIVATE KEY HERE>",
      `Address = ${address}/32`,
      "DNS = 1.1.1.1, 9.9.9.9",
      "MTU = 1380",
      "",
      "[Peer]",
      `PublicKey = ${server.publicKey}`,
      `Endpoint = ${world.endpoint}`,
      "AllowedIPs = 0.0.0.0/0, ::/0",
      "PersistentKeepalive = 25",
    ].join("\n");

  const admit = (publicKey: string, address: string) =>
    world.exec("operator", [
      "wg",
      "set",
      world.interfaceName,
      "peer",
      publicKey,
      "allowed-ips",
      `${address}/32`,
    ]);

  it("lets no packet of a buyer without a tunnel out", async () => {
    expect(await world.ping()).toBe(false);
    expect(await world.ping(world.endpointHost)).toBe(true);
  });

  it("carries a page through the tunnel, behind the operator's NAT, and none to a stranger's key", async () => {
    await admit(buyer.publicKey, "10.66.42.2");
    await world.bringUpBuyer(conf("10.66.42.2"), buyer.privateKey);
    expect(await world.fetchThroughTunnel()).toBe(
      `a page on the internet, asked for by ${world.natAddress}\n`,
    );
    expect((await world.fetchThroughTunnel({ path: "/bytes/2000000" })).length).toBe(2_000_000);
    expect(await world.ping()).toBe(true);

    await world.bringUpBuyer(conf("10.66.42.3"), generateWireguardKeys().privateKey, "buyer2");
    await expect(world.fetchThroughTunnel({ buyer: "buyer2", timeoutSeconds: 1 })).rejects.toThrow(
      /exit code/,
    );
  }, 20_000);

  it("takes wg0 down and up again, without its peers", async () => {
    await world.tearDownWg0();
    await expect(world.exec("operator", ["wg", "show", world.interfaceName, "peers"])).rejects.toThrow();
    await world.bringUpWg0();
    expect(await world.exec("operator", ["wg", "show", world.interfaceName, "peers"])).toBe("");
    await admit(buyer.publicKey, "10.66.42.2");
    await world.bringUpBuyer(conf("10.66.42.2"), buyer.privateKey);
    expect(await world.fetchThroughTunnel()).toContain("a page on the internet");
    await world.takeDownBuyer();
    expect(await world.ping()).toBe(false);
  }, 20_000);

  it("links the operator's namespace and this host, for a daemon that runs inside", async () => {
    const relay = createServer((_request, response) => response.end("from the host"));
    await new Promise<void>((resolve) => relay.listen(0, world.hostAddress, resolve));
    try {
      const address = relay.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const page = await world.exec("operator", [
        "curl",
        "-s",
        "--noproxy",
        "*",
        `http://${world.hostAddress}:${port}/`,
      ]);
      expect(page).toBe("from the host");
    } finally {
      relay.close();
    }
  });
});
