import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALLOWED, FORBIDDEN, WEB } from "../testing/buyers-targets.ts";
import { startKnocking } from "../testing/connections.ts";
import { eventually } from "../testing/eventually.ts";
import { inNamespace } from "../testing/namespace-tools.ts";
import { createOperatorHost, type OperatorHost, operatorHostMissing } from "../testing/operator-host.ts";
import { startWitness } from "../testing/witness.ts";
import { createNftLimits, removeNftLimits } from "../wireguard/nft-limits.ts";

const missing = await operatorHostMissing(Boolean(process.env.CI));
const reason = missing === undefined ? "" : ` (skipped: ${missing})`;

const EVERYWHERE = [...ALLOWED, ...FORBIDDEN];
const PEER = { name: "a peer", address: "10.66.42.2", port: 22 };
const SSH = { name: "ssh", address: "203.0.113.5", port: 22 };
const names = (targets: readonly { name: string }[]) => targets.map((target) => target.name);

describe.skipIf(missing !== undefined)(`what a peer reaches with wg-up.sh${reason}`, () => {
  const settings = { SUBNET6: "fd66:42::/64" };
  let host: OperatorHost;

  beforeAll(async () => {
    host = await createOperatorHost("wgup");
    await host.startServices();
    // For one out there who knows the peers' addresses; the router would not carry them.
    await host.exec("internet", [
      ...["ip", "route", "add", "10.66.42.0/24", "via", "203.0.113.5", "src", WEB.v4],
    ]);
  }, 60_000);
  afterAll(() => host?.destroy(), 60_000);

  const connectAll = async () => {
    await host.connect("buyer1");
    await host.connect("buyer2");
  };
  const onHost = (line: string) => host.exec("host", ["sh", "-c", line]);

  /** The lines of many a guide, as PostUp of a hand-made file. */
  const plainConf = () => {
    const name = host.interfaceName;
    const lines = [
      ["iptables", "10.66.42.0/24"],
      ["ip6tables", "fd66:42::/64"],
    ].flatMap(([tool, subnet]) => [
      `${tool} -A FORWARD -i ${name} -j ACCEPT`,
      `${tool} -A FORWARD -o ${name} -j ACCEPT`,
      `${tool} -t nat -A POSTROUTING -s ${subnet} -j MASQUERADE`,
    ]);
    return [
      ...["[Interface]", "Address = 10.66.42.1/24, fd66:42::1/64", "ListenPort = 51820"],
      `PostUp = wg set %i private-key ${host.keyFile}`,
      "PostUp = cd /proc/sys/net; echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding",
      ...lines.map((line) => `PostUp = ${line}`),
      "",
    ].join("\n");
  };

  it("is everything, with the usual lines of a hand-made file instead", async () => {
    const conf = join(host.wireguardFolder, `${host.interfaceName}.conf`);
    await writeFile(conf, plainConf());
    await host.wgQuick("up");
    await connectAll();
    expect(await host.reachable(EVERYWHERE)).toEqual(names(EVERYWHERE));
    expect(await host.reachable([PEER], "internet")).toEqual([PEER.name]);
    await host.wgQuick("down");
    await rm(conf);
  });

  it("is the internet and this host's https, with those lines still in the host's iptables", async () => {
    await host.wgUp([], settings);
    await connectAll();
    expect(await host.reachable(EVERYWHERE)).toEqual(names(ALLOWED));
  });

  it("is the same with the daemon's limits beside the rules: no way to the other peer, in IPv6 neither", async () => {
    const { interfaceName } = host;
    const options = { interfaceName, maxFlows: 4096, commandPrefix: inNamespace(host.namespaceOf("host")) };
    const set = [2, 3].map((number) => ({
      name: `peer${number}`,
      addresses: [`10.66.42.${number}`, `fd66:42::${number}`],
      time: { leftMs: null },
      data: undefined,
      rateMbit: 100,
      counts: "anew" as const,
    }));
    await createNftLimits(options).apply({ rebuild: true, set, remove: [], foreignCidrs: [] });
    expect(await host.reachable(EVERYWHERE)).toEqual(names(ALLOWED));
    await removeNftLimits(options);
  });

  it("is nothing that others could use: no way to a peer but from the host itself, and ssh as ever", async () => {
    expect(await host.reachable([PEER], "internet")).toEqual([]);
    expect(await host.reachable([PEER], "host")).toEqual([PEER.name]);
    expect(await host.reachable([SSH], "internet")).toEqual([SSH.name]);
    expect(await host.reachable([SSH], "lan")).toEqual([SSH.name]);
  });

  it("is the same after wg-quick has taken the interface down and up", async () => {
    await host.wgQuick("down");
    await host.wgQuick("up");
    await connectAll();
    expect(await host.reachable(EVERYWHERE)).toEqual(names(ALLOWED));
  });

  const reload = async (times: number) => {
    await host.wgUp(["--rules"]);
    const rules = join(host.wireguardFolder, `europa_host_${host.interfaceName}.nft`);
    await onHost(`for i in $(seq ${times}); do nft -f ${rules} || exit 1; done`);
  };

  it("is the same in every moment of a reload and of a restart: no packet slips through", async () => {
    const witness = await startWitness(host.namespaceOf("host"), host.interfaceName);
    const knocking = await startKnocking(host.namespaceOf("buyer1"), FORBIDDEN);
    for (let round = 0; round < 10; round++) await reload(40);
    expect(await witness.passed()).toBe(0);

    await host.wgQuick("down");
    await host.wgQuick("up");
    await connectAll();
    await host.exec("buyer1", ["ping", "-c", "1", "-W", "10", WEB.v4]);
    expect(await witness.passed()).toBe(0);

    await onHost(`nft flush table inet europa_host_${host.interfaceName}`);
    await eventually(async () => (await witness.passed()) > 0, 10_000);
    await knocking.stop();
    await host.wgUp(["--rules"]);
    await witness.stop();
  }, 120_000);

  // Without the knocking, which overruns what the tunnel itself can carry.
  it("goes on through reloads: no ping is lost", async () => {
    let isOver = false;
    const pings = Promise.all(
      [WEB.v4, WEB.v6].map((address) =>
        host.exec("buyer1", ["ping", "-q", "-c", "200", "-i", "0.02", "-W", "10", address]),
      ),
    ).finally(() => {
      isOver = true;
    });
    while (!isOver) await reload(10);
    for (const said of await pings) expect(said).toContain("200 packets transmitted, 200 received");
  }, 60_000);

  it("is port 25 as well where the operator allows it, and his name server", async () => {
    const opened = FORBIDDEN.filter((target) => target.port === 25 || target.port === 53);
    await host.wgUp([], { ALLOW_SMTP: "1", ALLOW_DNS: "1" });
    expect(await host.reachable(EVERYWHERE)).toEqual(
      names(EVERYWHERE.filter((target) => [...ALLOWED, ...opened].includes(target))),
    );
    await host.wgUp([], { ALLOW_SMTP: "", ALLOW_DNS: "" });
    expect(await host.reachable(opened)).toEqual([]);
  });

  it("is a proxy in a container by the host's port 80, and no other port that is published", async () => {
    const published = (matching: string) =>
      onHost(`iptables -t nat -A PREROUTING -p tcp ${matching} -j DNAT --to 192.168.77.10:443`);
    await published("-m addrtype --dst-type LOCAL --dport 80");
    await published("-m addrtype --dst-type LOCAL --dport 8443");
    // As a cluster has it for an address that no interface has.
    await published("-d 198.51.100.77 --dport 8443");
    const at = (address: string, port: number) => ({ name: `${address} ${port}`, address, port });
    const proxy = at("203.0.113.5", 80);
    const others = [at("203.0.113.5", 8443), at("198.51.100.77", 8443), at("10.66.42.1", 80)];
    expect(await host.reachable([proxy, ...others])).toEqual([proxy.name]);
    await onHost("iptables -t nat -F PREROUTING");
  });

  it("is all of a page and takes all of an upload, when no word of a too large packet is heard", async () => {
    const deaf = "type filter hook input priority 0; icmp type destination-unreachable drop;";
    const curl = ["curl", "-q", "--noproxy", "*", "--silent", "--fail", "-m", "10"];
    for (const place of ["internet", "buyer1"] as const) {
      await host.exec(place, ["nft", `table inet deaf { chain in { ${deaf} }; }`]);
    }
    await host.connect("buyer1", 1500);
    const page = await host.exec("buyer1", [...curl, `http://${WEB.v4}/bytes/1000000`]);
    expect(page.length).toBe(1_000_000);

    await onHost("ip link set uplink mtu 1300");
    await host.exec("buyer1", [
      ...["sh", "-c", 'head -c 1000000 /dev/zero | "$@"', "sh", ...curl, "--data-binary", "@-"],
      `http://${WEB.v4}/`,
    ]);
    await onHost("ip link set uplink mtu 1500");
    for (const place of ["internet", "buyer1"] as const) {
      await host.exec(place, ["nft", "delete table inet deaf"]);
    }
  });

  it("is nothing over IPv6 without a subnet for it", async () => {
    await host.wgUp([], { SUBNET6: "" });
    await host.wgQuick("down");
    await host.wgQuick("up");
    await onHost(`ip -6 addr add fd66:42::1/64 dev ${host.interfaceName}`);
    await connectAll();
    expect(await host.reachable(EVERYWHERE)).toEqual(
      names(ALLOWED.filter((target) => !target.address.includes(":"))),
    );
  });
});
