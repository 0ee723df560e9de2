import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { detectWireguard } from "../testing/detect-wireguard.ts";
import { createTunnelWorld, type TunnelWorld } from "../testing/namespaces.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";
import { type Enforcement, EnforcementError } from "../tunnels/ports.ts";
import { createInMemoryEnforcement } from "./in-memory.ts";
import { createKernelEnforcement } from "./kernel.ts";

const found = await detectWireguard();
if (!found.available && process.env.CI) throw new Error(`this lane may not be skipped: ${found.why}`);

const server = generateWireguardKeys();
const newKey = () => generateWireguardKeys().publicKey;

interface Bench {
  enforcement: Enforcement;
  takeDown(): Promise<void>;
  bringUp(): Promise<void>;
  /** Bytes pass for a peer that holds 10.66.42.77. */
  makeTraffic(peer: { publicKey: string; privateKey: string }): Promise<void>;
}

function enforcementContract(bench: () => Bench): void {
  const setPeer = (publicKey: string, ...addresses: string[]) =>
    bench().enforcement.apply({ set: [{ publicKey, addresses }], remove: [] });

  async function allowed(): Promise<Record<string, string[]>> {
    const { peers } = await bench().enforcement.look();
    return Object.fromEntries(peers.map((peer) => [peer.publicKey, peer.allowedIps.toSorted()]));
  }

  beforeEach(async () => {
    const { peers } = await bench().enforcement.look();
    await bench().enforcement.apply({ set: [], remove: peers.map((peer) => peer.publicKey) });
  });

  it("shows the server's key and has no trouble", async () => {
    const view = await bench().enforcement.look();
    expect(view).toEqual({ publicKey: server.publicKey, listenPort: 51820, peers: [] });
    expect(await bench().enforcement.trouble(view)).toBeUndefined();
    const other = { ...view, publicKey: newKey() };
    expect((await bench().enforcement.trouble(other))?.code).toBe("wrong-key");
  });

  it("sets a peer, and again, and with other addresses", async () => {
    const key = newKey();
    expect(await setPeer(key, "10.66.42.2")).toEqual({ rejected: [] });
    expect(await setPeer(key, "10.66.42.2")).toEqual({ rejected: [] });
    expect(await allowed()).toEqual({ [key]: ["10.66.42.2/32"] });
    await setPeer(key, "10.66.42.3", "192.168.9.9");
    expect(await allowed()).toEqual({ [key]: ["10.66.42.3/32", "192.168.9.9/32"] });
    expect((await bench().enforcement.look()).peers[0]).toMatchObject({
      receivedBytes: 0,
      sentBytes: 0,
      lastHandshakeAt: 0,
    });
  });

  it("shows what has changed as another object, and never in one that was shown", async () => {
    const [victim, thief] = [newKey(), newKey()];
    await setPeer(victim, "10.66.42.2", "10.66.42.3");
    const before = (await bench().enforcement.look()).peers[0];
    await setPeer(thief, "10.66.42.2");
    const after = (await bench().enforcement.look()).peers.find((peer) => peer.publicKey === victim);
    expect(before?.allowedIps).toHaveLength(2);
    expect(after?.allowedIps).toEqual(["10.66.42.3/32"]);
    expect([after === before, after?.allowedIps === before?.allowedIps]).toEqual([false, false]);
  });

  it("removes a peer, and one that is not there", async () => {
    const [stays, goes] = [newKey(), newKey()];
    await setPeer(stays, "10.66.42.2");
    await setPeer(goes, "10.66.42.3");
    const change = { set: [], remove: [goes, newKey(), "no key at all"] };
    expect(await bench().enforcement.apply(change)).toEqual({ rejected: [] });
    expect(await bench().enforcement.apply(change)).toEqual({ rejected: [] });
    expect(await allowed()).toEqual({ [stays]: ["10.66.42.2/32"] });
  });

  it("passes an address from a removed peer to a new one in one change", async () => {
    const [former, next] = [newKey(), newKey()];
    await setPeer(former, "10.66.42.2");
    await bench().enforcement.apply({
      set: [{ publicKey: next, addresses: ["10.66.42.2"] }],
      remove: [former],
    });
    expect(await allowed()).toEqual({ [next]: ["10.66.42.2/32"] });
  });

  it("exchanges the addresses of two peers in one change", async () => {
    const [one, two] = [newKey(), newKey()];
    await setPeer(one, "10.66.42.2");
    await setPeer(two, "10.66.42.3");
    await bench().enforcement.apply({
      set: [
        { publicKey: one, addresses: ["10.66.42.3"] },
        { publicKey: two, addresses: ["10.66.42.2"] },
      ],
      remove: [],
    });
    expect(await allowed()).toEqual({ [one]: ["10.66.42.3/32"], [two]: ["10.66.42.2/32"] });
  });

  it("steals an address without a word: whoever hands one out twice is shown so here", async () => {
    const [victim, thief] = [newKey(), newKey()];
    await setPeer(victim, "10.66.42.2", "10.66.42.3");
    expect(await setPeer(thief, "10.66.42.2")).toEqual({ rejected: [] });
    expect(await allowed()).toEqual({ [victim]: ["10.66.42.3/32"], [thief]: ["10.66.42.2/32"] });
  });

  it("leaves bad peers out and says which", async () => {
    const good = [newKey(), newKey()];
    const zero = Buffer.alloc(32).toString("base64");
    const set = [
      { publicKey: good[0] ?? "", addresses: ["10.66.42.2"] },
      { publicKey: zero, addresses: ["10.66.42.4"] },
      { publicKey: server.publicKey, addresses: ["10.66.42.5"] },
      { publicKey: "not a key", addresses: ["10.66.42.6"] },
      { publicKey: newKey(), addresses: ["10.66.42.0/24"] },
      { publicKey: newKey(), addresses: [] },
      { publicKey: good[1] ?? "", addresses: ["10.66.42.3"] },
    ];
    const { rejected } = await bench().enforcement.apply({ set, remove: [] });
    expect(rejected.toSorted()).toEqual(
      set
        .slice(1, 6)
        .map((peer) => peer.publicKey)
        .toSorted(),
    );
    expect(Object.keys(await allowed()).toSorted()).toEqual(good.toSorted());
  });

  it("takes 500 peers at once, and lets them go at once", async () => {
    const set = Array.from({ length: 500 }, (_, index) => ({
      publicKey: newKey(),
      addresses: [`10.66.${43 + Math.floor(index / 250)}.${(index % 250) + 1}`],
    }));
    expect(await bench().enforcement.apply({ set, remove: [] })).toEqual({ rejected: [] });
    const wanted = set.map(({ publicKey, addresses }) => [publicKey, addresses.map((each) => `${each}/32`)]);
    expect(await allowed()).toEqual(Object.fromEntries(wanted));
    await bench().enforcement.apply({ set: [], remove: set.map((peer) => peer.publicKey) });
    expect(await allowed()).toEqual({});
  });

  it("counts both ways, keeps counting over a repeated set, and from zero after a removal", async () => {
    const peer = generateWireguardKeys();
    const counters = async () => (await bench().enforcement.look()).peers[0];
    await setPeer(peer.publicKey, "10.66.42.77");
    await bench().makeTraffic(peer);
    const first = await counters();
    expect(first?.receivedBytes).toBeGreaterThan(1000);
    expect(first?.sentBytes).toBeGreaterThan(1000);
    await setPeer(peer.publicKey, "10.66.42.77");
    expect((await counters())?.receivedBytes).toBeGreaterThanOrEqual(first?.receivedBytes ?? 0);
    await bench().enforcement.apply({
      set: [{ publicKey: peer.publicKey, addresses: ["10.66.42.77"] }],
      remove: [peer.publicKey],
    });
    expect((await counters())?.sentBytes).toBeLessThan(first?.sentBytes ?? 0);
  }, 20_000);

  it("says that the interface is gone, and heals when it is back", async () => {
    const key = newKey();
    await setPeer(key, "10.66.42.2");
    const view = await bench().enforcement.look();
    await bench().takeDown();
    for (const attempt of [() => bench().enforcement.look(), () => setPeer(key, "10.66.42.2")]) {
      const error: unknown = await attempt().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(EnforcementError);
      expect(error).toMatchObject({ trouble: { code: "no-interface" } });
    }
    expect((await bench().enforcement.trouble(view))?.code).toBe("no-interface");
    await bench().bringUp();
    expect(await allowed()).toEqual({});
    expect(await setPeer(key, "10.66.42.2")).toEqual({ rejected: [] });
    expect(await allowed()).toEqual({ [key]: ["10.66.42.2/32"] });
  }, 20_000);
}

describe("in memory", () => {
  const enforcement = createInMemoryEnforcement(server.publicKey);
  enforcementContract(() => ({
    enforcement,
    takeDown: async () => enforcement.takeDown(),
    bringUp: async () => enforcement.bringUp(),
    makeTraffic: async ({ publicKey }) => enforcement.count(publicKey, 5000, 7000),
  }));

  it("counts for peers only", () => {
    expect(() => enforcement.count(newKey(), 1, 1)).toThrow();
  });
});

const reason = found.available ? "" : ` (skipped: ${found.why})`;
describe.skipIf(!found.available)(`on a real interface${reason}`, () => {
  let world: TunnelWorld;
  let enforcement: Enforcement;

  beforeAll(async () => {
    world = await createTunnelWorld({
      serverPrivateKey: server.privateKey,
      subnetCidr: "10.66.42.0/24",
      tag: "contract",
    });
    enforcement = createKernelEnforcement({
      interfaceName: world.interfaceName,
      serverPubkey: server.publicKey,
      subnetCidr: "10.66.42.0/24",
      commandPrefix: world.commandPrefix("operator"),
    });
  }, 60_000);
  afterAll(() => world?.destroy(), 60_000);

  enforcementContract(() => ({
    enforcement,
    takeDown: () => world.tearDownWg0(),
    bringUp: () => world.bringUpWg0(),
    async makeTraffic({ privateKey }) {
      const conf = [
        ...["[Interface]", "PrivateKey = ", "Address = 10.66.42.77/32", "[Peer]"],
        ...[`PublicKey = ${server.publicKey}`, `Endpoint = ${world.endpoint}`, "AllowedIPs = 0.0.0.0/0"],
      ];
      await world.bringUpBuyer(conf.join("\n"), privateKey);
      expect(await world.fetchThroughTunnel({ path: "/bytes/100000" })).toHaveLength(100_000);
      await world.takeDownBuyer();
    },
  }));

  it("names forwarding that is off, an address outside the subnet, and a link that is down", async () => {
    const view = await enforcement.look();
    const ip = (...args: string[]) => world.exec("operator", ["ip", ...args, "dev", world.interfaceName]);
    const code = async () => (await enforcement.trouble(view))?.code;
    await world.exec("operator", ["sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward"]);
    expect(await code()).toBe("forwarding-off");
    await world.exec("operator", ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
    await ip("addr", "add", "10.66.43.1/24");
    await ip("addr", "del", "10.66.42.1/24");
    expect(await code()).toBe("wrong-address");
    await ip("addr", "add", "10.66.42.1/24");
    expect(await code()).toBeUndefined();
    await world.exec("operator", ["ip", "link", "set", "down", "dev", world.interfaceName]);
    expect(await code()).toBe("no-interface");
    await world.tearDownWg0();
    await world.bringUpWg0();
  }, 20_000);

  it("knows that it lacks the permission, with root's capabilities dropped", async () => {
    const powerless = createKernelEnforcement({
      interfaceName: world.interfaceName,
      serverPubkey: server.publicKey,
      subnetCidr: "10.66.42.0/24",
      commandPrefix: [
        ...world.commandPrefix("operator"),
        ...["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all"],
      ],
    });
    await expect(powerless.look()).rejects.toMatchObject({ trouble: { code: "no-permission" } });
  });
});
