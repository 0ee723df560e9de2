import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { detectWireguard } from "../testing/detect-wireguard.ts";
import { eventually } from "../testing/eventually.ts";
import { exec, inNamespace, ip, removeNamespaces, run } from "../testing/namespace-tools.ts";
import { startPingBehind } from "../testing/running-ping.ts";
import { compareLimits, usedBytes } from "../tunnels/limits.ts";
import type { LimitChange, Limits, LimitsView, SessionLimit } from "../tunnels/ports.ts";
import { EnforcementError } from "../tunnels/ports.ts";
import { createNftLimits, nftTrouble, removeNftLimits } from "./nft-limits.ts";
import { ALLOWANCE_BYTES } from "./nft-script.ts";
import { outermost } from "./outermost.ts";

const found = await detectWireguard();
if (!found.available && process.env.CI)
  throw new Error(`${found.why}: CI runs the tests of nft, it does not skip them`);
const reason = found.available ? "" : ` (skipped: ${found.why})`;

const HERE = "eu-nft-host";
const PEER = "eu-nft-peer";
const A = "10.66.42.2";
const B = "10.66.42.3";
const A6 = "fd66:42::a42:2a02";
/** A ping of so much payload is so long. */
const IP_AND_ICMP = 28;

/** A cable in the place of the tunnel: nft knows interfaces by their name alone. */
describe.skipIf(!found.available)(`limits in nftables${reason}`, () => {
  let limits: Limits;
  const options = { interfaceName: "tunnel", maxFlows: 4096, commandPrefix: inNamespace(HERE) };

  beforeAll(async () => {
    await removeNamespaces("eu-nft-");
    for (const namespace of [HERE, PEER]) {
      await run("ip", ["netns", "add", namespace]);
      await exec(namespace, [
        "sh",
        "-c",
        "cd /proc/sys/net/ipv6/conf; for of in all default; do echo 0 >$of/accept_dad; done",
      ]);
    }
    await run("ip", [
      "link",
      "add",
      "tunnel",
      "netns",
      HERE,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      PEER,
    ]);
    for (const address of ["10.66.42.1/24", "fd66:42::1/64"])
      await ip(HERE, `addr add ${address} dev tunnel`);
    for (const address of [`${A}/24`, `${B}/24`, `${A6}/64`]) await ip(PEER, `addr add ${address} dev eth0`);
    await ip(HERE, "link set up dev tunnel");
    await ip(PEER, "link set up dev eth0");
    // ARP is no matter of the inet table, neighbour discovery is.
    await ip(HERE, `neigh replace ${A6} lladdr ${await macOf(PEER, "eth0")} dev tunnel`);
    await ip(PEER, `neigh replace fd66:42::1 lladdr ${await macOf(HERE, "tunnel")} dev eth0`);
    limits = createNftLimits(options);
  }, 30_000);
  beforeEach(() => limits.apply({ ...noChange, rebuild: true }));
  afterAll(() => removeNamespaces("eu-nft-"), 30_000);

  const macOf = async (namespace: string, device: string) =>
    (await exec(namespace, ["cat", `/sys/class/net/${device}/address`])).trim();
  const noChange: LimitChange = { rebuild: false, set: [], remove: [], foreignCidrs: undefined };
  const data = (totalBytes: number, used = 0, leftMs: number | null = 60_000) => ({
    leftMs,
    totalBytes,
    usedBytes: used,
  });
  const limit = (parts: Partial<SessionLimit> = {}): SessionLimit => ({
    name: "one",
    addresses: [A],
    time: undefined,
    data: undefined,
    rateMbit: null,
    ...parts,
  });
  const set = (one: SessionLimit, counts: "on" | "anew" = "anew") =>
    limits.apply({ ...noChange, set: [{ ...one, counts }] });

  /** How many of these pings come back. */
  async function answered(from: string, count = 1, bytes = 100): Promise<number> {
    const target = from.includes(":") ? "fd66:42::1" : "10.66.42.1";
    const argv = [
      "ping",
      "-q",
      "-i",
      "0.002",
      "-W",
      "1",
      "-c",
      String(count),
      "-s",
      String(bytes - IP_AND_ICMP),
      "-I",
      from,
      target,
    ];
    const said = await exec(PEER, ["sh", "-c", '"$@" || true', "sh", ...argv]);
    return Number(/(\d+) received/.exec(said)?.[1]);
  }
  const bringInLine = async (...desired: SessionLimit[]) => {
    const view = await limits.look();
    await limits.apply({ ...noChange, ...compareLimits(view, desired, true) });
  };
  const isEmpty = ({ time, data: seen, counts, rates, limited }: LimitsView) =>
    time.size + seen.size + counts.size + rates.size + limited.size === 0;

  it("knows whether it has everything that it needs, and changes nothing for that", async () => {
    await removeNftLimits(options);
    expect(await nftTrouble(options)).toBeUndefined();
    expect((await limits.look()).whole).toBe(false);
    const powerless = {
      ...options,
      commandPrefix: [
        ...inNamespace(HERE),
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "--bounding-set=-all",
      ],
    };
    expect((await nftTrouble(powerless))?.message).toMatch(/CAP_NET_ADMIN/);
  });

  it("lets nobody pass who has no limits", async () => {
    expect(await answered(A)).toBe(0);
    expect(await answered(A6)).toBe(0);
    await set(limit({ time: { leftMs: null } }));
    expect([await answered(A), await answered(B), await answered(A6)]).toEqual([1, 0, 0]);
  });

  it("ends a time by itself, and longer once it was renewed", async () => {
    await set(limit({ time: { leftMs: 900 } }));
    expect(await answered(A)).toBe(1);
    await set(limit({ time: { leftMs: 60_000 } }));
    expect((await limits.look()).time.get(A)).toBeGreaterThan(50_000);
    await set(limit({ time: { leftMs: 700 } }));
    await eventually(async () => (await answered(A)) === 0);
    expect((await limits.look()).time.size).toBe(0);
    await set(limit({ time: { leftMs: 60_000 } }));
    expect(await answered(A)).toBe(1);
  });

  it("lets pass what was bought, up and down together, and less than 64 KiB more", async () => {
    await set(limit({ data: data(100_000) }));
    const pairs = await answered(A, 250, 1000);
    expect(pairs * 2000).toBeLessThan(100_000 + ALLOWANCE_BYTES);
    expect(pairs * 2000 + 1000).toBeGreaterThanOrEqual(100_000);
    const view = await limits.look();
    // As far as the kernel tells: what it counts of drops beyond that, it keeps to itself.
    expect(view.counts.get("one")?.usedBytes).toBe(100_000 + ALLOWANCE_BYTES);
    expect(usedBytes(view).get("one")).toBe(100_000);
  });

  it("counts nothing while time runs, and all addresses of a session on one count after it", async () => {
    await set(limit({ addresses: [A, A6], time: { leftMs: 800 }, data: data(1_000_000) }));
    expect(await answered(A, 5)).toBe(5);
    expect((await limits.look()).counts.get("one")?.usedBytes).toBe(0);
    await eventually(async () => !(await limits.look()).time.has(A));
    expect([await answered(A, 5), await answered(A6, 5)]).toEqual([5, 5]);
    expect((await limits.look()).counts.get("one")?.usedBytes).toBeGreaterThanOrEqual(10 * 200);
  });

  it("raises a total and keeps the count, or begins it where it is told", async () => {
    await set(limit({ data: data(10_000) }));
    await answered(A, 5);
    await set(limit({ data: data(20_000) }), "on");
    expect((await limits.look()).counts.get("one")).toEqual({ totalBytes: 20_000, usedBytes: 1000 });
    await set(limit({ data: data(20_000, 7000) }), "anew");
    expect((await limits.look()).counts.get("one")).toEqual({ totalBytes: 20_000, usedBytes: 7000 });
  });

  it("has each address at its session's rate, another rate, and none", async () => {
    const timed = limit({ addresses: [A, A6], time: { leftMs: 60_000 } });
    for (const rateMbit of [0.008, 10, 10.486, 104.8576, null]) {
      await bringInLine({ ...timed, rateMbit });
      expect([...(await limits.look()).rates]).toEqual(rateMbit === null ? [] : [[A, rateMbit]]);
    }
  });

  it("drops what comes faster than its rate before it is counted", async () => {
    const bytePerSecond = 0.000_008;
    const slow = limit({ addresses: [A, A6], data: data(1_000_000), rateMbit: bytePerSecond });
    await bringInLine(slow);
    const pairs = await answered(A, 100, 1000);
    const passed = (await limits.look()).counts.get("one")?.usedBytes ?? 0;
    expect(pairs).toBeGreaterThan(50);
    expect(pairs).toBeLessThan(70);
    expect(passed).toBeLessThan(70 * 2000);
    expect(await answered(A6, 1, 1000)).toBe(0);
    await bringInLine({ ...slow, rateMbit: 1000 });
    expect([await answered(A, 50, 1000), await answered(A6)]).toEqual([50, 1]);
  });

  it("lets a foreign address be as fast as it likes, whose last bits are a session's", async () => {
    await limits.apply({ ...noChange, foreignCidrs: ["fd66:42::/64"] });
    await set(limit({ time: { leftMs: null }, rateMbit: 0.000_008 }));
    expect(await answered(A, 100, 1000)).toBeLessThan(70);
    expect(await answered(A6, 100, 1000)).toBe(100);
  });

  it("sees a rate that another took from one direction", async () => {
    const one = limit({ time: { leftMs: 60_000 }, rateMbit: 10 });
    for (const rateMbit of [10, null]) {
      await bringInLine(one);
      await exec(HERE, ["nft", "flush set inet europa_limits_tunnel up"]);
      await bringInLine({ ...one, rateMbit });
      expect([...(await limits.look()).rates]).toEqual(rateMbit === null ? [] : [[A, rateMbit]]);
    }
  });

  it("begins no connection beyond their number, each address its own, and lets begun ones go on", async () => {
    const few = createNftLimits({ ...options, maxFlows: 3 });
    const sold = { ...limit({ addresses: [A, A6], time: { leftMs: null } }), counts: "anew" as const };
    await few.apply({ ...noChange, rebuild: true, set: [sold], foreignCidrs: [`${B}/32`] });
    await exec(HERE, ["sh", "-c", "echo 2 >/proc/sys/net/netfilter/nf_conntrack_icmp_timeout"]);
    // Each ping is a connection, as long as it runs.
    const pings = [];
    for (let held = 0; held < 3; held++)
      pings.push(await startPingBehind(inNamespace(PEER), "-I", A, "10.66.42.1"));
    expect([await answered(A), await answered(A6)]).toEqual([0, 1]);
    for (let more = 0; more < 4; more++) expect(await answered(B)).toBe(1);
    for (const ping of pings) {
      const { transmitted, received } = await ping.stop();
      expect(received).toBe(transmitted);
    }
    await eventually(async () => (await answered(A)) === 1);
  });

  it("sees that the table was made for another number of connections", async () => {
    expect((await limits.look()).whole).toBe(true);
    for (const maxFlows of [5, 0]) {
      const other = createNftLimits({ ...options, maxFlows });
      expect((await other.look()).whole).toBe(false);
      await other.apply({ ...noChange, rebuild: true });
      expect((await other.look()).whole).toBe(true);
    }
  });

  it("takes back all of a session, and leaves the others", async () => {
    const bought = { data: data(5000), rateMbit: 10 };
    const other = limit({ name: "two", addresses: [B], time: { leftMs: 60_000 }, ...bought });
    await bringInLine(limit({ addresses: [A, A6], time: { leftMs: 300 }, ...bought }), other);
    await eventually(async () => !(await limits.look()).time.has(A));
    await bringInLine(other);
    expect([...(await limits.look()).limited]).toEqual([B]);
    expect([await answered(A), await answered(B)]).toEqual([0, 1]);
    const remove = [{ addresses: [B], count: { name: "two", goes: true } }];
    for (let again = 0; again < 2; again++) await limits.apply({ ...noChange, remove });
    expect(isEmpty(await limits.look())).toBe(true);
  });

  it("gives an address to another session, and an address of a session back", async () => {
    await set(limit({ addresses: [A, A6], data: data(5000) }));
    const next = limit({ name: "two", data: data(9000) });
    const former = limit({ addresses: [A6], data: data(5000, 300) });
    await bringInLine(next, former);
    const view = await limits.look();
    expect([...view.data].map(([address, { name }]) => [address, name]).sort()).toEqual([
      [A, "two"],
      [A6, "one"],
    ]);
    expect(view.counts.get("one")).toEqual({ totalBytes: 5000, usedBytes: 0 });
    await bringInLine(next);
    expect([...(await limits.look()).counts.keys()]).toEqual(["two"]);
  });

  it("lets foreign peers pass, but no address of a session under their names", async () => {
    const foreignCidrs = ["0.0.0.0/0", `${B}/32`, "10.66.0.0/16", "::/0"];
    await limits.apply({ ...noChange, foreignCidrs });
    await set(limit({ time: { leftMs: 500 } }));
    expect([await answered(B), await answered(A6)]).toEqual([1, 1]);
    await eventually(async () => (await answered(A)) === 0);
    await limits.apply({ ...noChange, foreignCidrs: [] });
    expect([await answered(B), await answered(A6)]).toEqual([0, 0]);
  });

  it.each([
    "flush ruleset",
    "delete table inet europa_limits_tunnel",
    "flush chain inet europa_limits_tunnel to_peer",
  ])("sees that another did nft %s, and builds everything again", async (command) => {
    const one = limit({ data: data(5000) });
    await bringInLine(one);
    await exec(HERE, ["nft", command]);
    expect([(await limits.look()).whole, (await limits.lookAtCounts()).whole]).toEqual([false, false]);
    await bringInLine(one);
    expect([(await limits.look()).whole, await answered(A)]).toEqual([true, 1]);
  });

  it("sees in a look at counts what a look at everything does, beside tables of others", async () => {
    const others =
      "add table inet others; add quota inet others one { until 9 bytes }; add chain inet others to_peer";
    await exec(HERE, ["nft", others]);
    const one = limit({ data: data(5000), time: { leftMs: null } });
    await bringInLine(one, limit({ name: "two", addresses: [B, A6], data: data(9000, 70) }));
    const { whole, counts } = await limits.look();
    expect([whole, counts.size]).toEqual([true, 2]);
    expect(await limits.lookAtCounts()).toEqual({ whole, counts });
    await exec(HERE, ["nft", "delete table inet others"]);
    await removeNftLimits(options);
    expect(await limits.lookAtCounts()).toEqual({ whole: false, counts: new Map() });
  });

  it("holds 5000 sessions of both families in one transaction, and sees them as set", async () => {
    const many = Array.from({ length: 5000 }, (_, index) => {
      const host = `${40 + Math.floor(index / 250)}.${(index % 250) + 1}`;
      const addresses = [`10.7.${host}`, `fd66:42::${host.replace(".", ":")}`];
      const bought = { time: { leftMs: 90_000 }, data: data(1e9), rateMbit: 50 };
      return limit({ name: `s${index}`, addresses, ...bought });
    });
    await bringInLine(...many);
    expect(compareLimits(await limits.look(), many, true)).toEqual({ rebuild: false, set: [], remove: [] });
    await bringInLine();
    expect(isEmpty(await limits.look())).toBe(true);
  }, 60_000);

  it("says that there is none to reach", async () => {
    const away = createNftLimits({ ...options, commandPrefix: ["no-such-wrapper"] });
    await expect(away.look()).rejects.toThrow(EnforcementError);
    await expect(away.apply(noChange)).rejects.toMatchObject({ trouble: { code: "no-limits" } });
  });
});

describe("foreign networks", () => {
  it("are given to nft once each, the outermost only", () => {
    expect(
      outermost(["10.0.0.5/32", "10.0.0.0/24", "10.0.0.0/24", "::/0", "fd00::/8", "192.0.2.1/32"]),
    ).toEqual(["::/0", "10.0.0.0/24", "192.0.2.1/32"]);
    expect(outermost(["(none)", "10.0.0.1"])).toEqual([]);
  });
});
