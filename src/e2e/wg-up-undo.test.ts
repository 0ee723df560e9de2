import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOperatorHost, type OperatorHost, operatorHostMissing } from "../testing/operator-host.ts";

const missing = await operatorHostMissing(Boolean(process.env.CI));
const reason = missing === undefined ? "" : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`what wg-up.sh changes on a host${reason}`, () => {
  const both = { SUBNET6: "fd66:42::/64" };
  let host: OperatorHost;
  let conf: string;

  beforeEach(async () => {
    host = await createOperatorHost("wgundo");
    conf = join(host.wireguardFolder, `${host.interfaceName}.conf`);
  }, 60_000);
  afterEach(() => host?.destroy(), 60_000);

  const onHost = (line: string) => host.exec("host", ["sh", "-c", line]);
  const isUp = () =>
    onHost(`ip link show ${host.interfaceName}`).then(
      () => true,
      () => false,
    );

  it("is undone without a trace on a bare host", async () => {
    const before = await host.traces();
    await host.wgUp();
    await host.connect("buyer1");
    const between = await host.traces();
    for (const kind of ["ruleset", "iptables", "sysctls", "routes", "links", "files"]) {
      expect(between[kind], kind).not.toBe(before[kind]);
    }
    await host.wgUp(["--undo"]);
    expect(await host.traces()).toEqual(before);
    await host.wgUp(["--undo"]);
    expect(await host.traces()).toEqual(before);
  });

  it("is undone on a host with rules and settings of its own, by wg-quick down too", async () => {
    await onHost(`
      iptables -P FORWARD DROP; iptables -A FORWARD -i lan -j ACCEPT; ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT
      nft add table inet own; nft add chain inet own x
      cd /proc/sys/net; echo 1 >ipv4/conf/lan/forwarding; echo 0 >ipv4/conf/all/accept_redirects
      ip -6 route del default; ip -6 route add default via 2001:db8:113::1 dev uplink proto ra expires 3600`);
    const before = await host.traces();
    await host.wgUp([], both);
    await host.wgUp(["--rules"]);
    expect(await onHost("cat /proc/sys/net/ipv6/conf/uplink/accept_ra")).toBe("2\n");
    expect(await onHost("ip -6 route show default")).toContain("via 2001:db8:113::1 dev uplink proto ra");

    await host.wgQuick("down");
    const down = await host.traces();
    expect({ ...down, files: "" }).toEqual({ ...before, files: "" });
    await host.wgQuick("up");
    await host.wgUp(["--undo"]);
    expect(await host.traces()).toEqual(before);
  });

  it("leaves forwarding on for a bridge that came after it, and the others' rules in iptables", async () => {
    await host.wgUp();
    await onHost("ip link add docker0 type bridge; iptables -A FORWARD -i docker0 -j ACCEPT");
    expect(await host.wgUp(["--undo"])).toContain("needed by docker0");
    expect(await onHost("cat /proc/sys/net/ipv4/ip_forward")).toBe("1\n");
    expect(await onHost("iptables -S FORWARD")).toBe("-P FORWARD ACCEPT\n-A FORWARD -i docker0 -j ACCEPT\n");
  });

  it("names the daemon's limits, which are not its own to take away", async () => {
    await host.wgUp();
    await onHost(`nft add table inet europa_limits_${host.interfaceName}`);
    expect(await host.wgUp(["--undo"])).toContain("europa-node enforcement off");
    expect(await onHost("nft list tables")).toBe(`table inet europa_limits_${host.interfaceName}\n`);
  });

  it("leaves what another interface's file still needs", async () => {
    await host.wgUp();
    await cp(conf, join(host.wireguardFolder, "wg-other.conf"));
    await host.wgUp(["--undo"]);
    expect(await onHost("ls /etc/wireguard")).toBe("europa-node\nwg-other.conf\n");
  });

  it("is nothing with --print", async () => {
    const before = await host.traces();
    const printed = await host.wgUp(["--print"], { ...both, EGRESS: "lan", MTU: "1380" });
    expect(printed).toContain("Address = 10.66.42.1/24, fd66:42::1/64\nListenPort = 51820\nMTU = 1380\n");
    expect(printed).toContain('ip saddr 10.66.42.0/24 oifname "lan" masquerade');
    expect(printed).toContain('ip6 saddr fd66:42::/64 oifname "uplink" masquerade');
    expect(printed).toContain("ip daddr 198.51.101.0/24 drop");
    expect(await host.traces()).toEqual(before);
  });

  it("is nothing that a hand has written, unless forced, and then it comes back", async () => {
    const handMade = "[Interface]\nAddress = 10.0.0.1/24\n";
    await writeFile(conf, handMade);
    await expect(host.wgUp()).rejects.toThrow(/not from this script/);
    await expect(host.wgUp(["--undo"])).rejects.toThrow(/not from this script/);
    expect(await readFile(conf, "utf8")).toBe(handMade);
    expect(await onHost("ls /etc/wireguard")).toBe(`${host.interfaceName}.conf\n`);

    await host.wgUp(["--force"]);
    expect(await readFile(`${conf}.before`, "utf8")).toBe(handMade);
    await writeFile(conf, `${await readFile(conf, "utf8")}[Peer]\n`);
    await expect(host.wgUp()).rejects.toThrow(/changed by hand/);
    await expect(host.wgUp(["--undo"])).rejects.toThrow(/changed by hand/);
    expect(await isUp()).toBe(true);
    await host.wgUp(["--force"]);
    expect(await readFile(`${conf}.edited`, "utf8")).toContain("[Peer]");

    await host.wgUp(["--undo"]);
    expect(await readFile(conf, "utf8")).toBe(handMade);
    expect(await isUp()).toBe(false);
  });

  it("is no interface that came up with another file", async () => {
    await writeFile(conf, `[Interface]\nPostUp = wg set %i private-key ${host.keyFile}\n`);
    await host.wgQuick("up");
    await expect(host.wgUp(["--force"])).rejects.toThrow(/wg-quick down/);
    await expect(host.wgUp(["--drop-rules"])).rejects.toThrow(/is up/);
    await host.wgQuick("down");
  });

  it("keeps what it was told, until it is told otherwise", async () => {
    await host.wgUp([], { LISTEN_PORT: "51999", SUBNET: "10.7.0.0/16" });
    const port = () => onHost(`wg show ${host.interfaceName} listen-port`);
    expect(await port()).toBe("51999\n");
    expect(await host.wgUp()).toContain("rules loaded");
    expect(await readFile(conf, "utf8")).toContain("ListenPort = 51999\n");
    expect(await onHost("nft list ruleset")).toContain("ip saddr 10.7.0.0/16");

    expect(await host.wgUp([], { LISTEN_PORT: "" })).toContain("when it suits: wg-quick down");
    await host.wgQuick("down");
    await host.wgQuick("up");
    expect(await port()).toBe("51820\n");
    expect(await onHost(`ip -4 -o addr show ${host.interfaceName}`)).toContain("10.7.0.1/16");
  });

  it("loads the rules of last time when there is no default route yet", async () => {
    await host.wgUp();
    await host.wgQuick("down");
    await onHost("ip route del default");
    await expect(host.wgUp([])).rejects.toThrow(/no default route/);
    await host.wgQuick("up");
    expect(await onHost("nft list ruleset")).toContain('ip saddr 10.66.42.0/24 oifname "uplink" masquerade');
  });
});

describe.skipIf(missing !== undefined)(`what wg-up.sh is told${reason}`, () => {
  let host: OperatorHost;

  beforeAll(async () => {
    host = await createOperatorHost("wgtold");
  }, 60_000);
  afterAll(() => host?.destroy(), 60_000);

  it.each([
    [{ SUBNET: "10.66.42.1/24" }, "does not begin"],
    [{ SUBNET: "10.66.42.0/31" }, "/16 to /30"],
    [{ SUBNET: "10.066.42.0/24" }, "such as 10.66.42.0/24"],
    [{ SUBNET: "10.66.42.0/24; drop" }, "/16 to /30"],
    [{ SUBNET6: "fd66:42::" }, "such as fd66:42::/64"],
    [{ SUBNET6: "2000::/3" }, "/48 to /126"],
    [{ LISTEN_PORT: "0" }, "from 1 to 65535"],
    [{ MTU: "1279" }, "from 1280"],
    [{ EGRESS: 'eth0"' }, "names of interfaces"],
    [{ ALLOW_SMTP: "yes" }, "0 or 1"],
    [{ INTERFACE: "wg0;x" }, "no name"],
    [{ INTERFACE: "a-name-of-16-xxx" }, "no name"],
    [{ PRIVATE_KEY_FILE: "/etc/hostname" }, "no WireGuard private key"],
    [{ PRIVATE_KEY_FILE: "/nowhere/wg-server.key" }, "is missing"],
    [{ PRIVATE_KEY_FILE: "/etc/a'b" }, "a character"],
    [{ PRIVATE_KEY_FILE: "/etc/a#b" }, "a character"],
    [{ PRIVATE_KEY_FILE: "/etc/a\nPostUp = true" }, "a character"],
  ])("is refused in words: %j", async (settings, words) => {
    const before = await host.traces();
    await expect(host.wgUp([], settings)).rejects.toThrow(words);
    expect(await host.traces()).toEqual(before);
  });
});
