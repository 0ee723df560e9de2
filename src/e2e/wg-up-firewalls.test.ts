import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALLOWED, FORBIDDEN, WEB } from "../testing/buyers-targets.ts";
import { run } from "../testing/namespace-tools.ts";
import { createOperatorHost, type OperatorHost, operatorHostMissing } from "../testing/operator-host.ts";

const inCi = Boolean(process.env.CI);
const missing = await operatorHostMissing(inCi);
const reason = missing === undefined ? "" : ` (skipped: ${missing})`;
const noUfw = missing ?? (await ufwMissing());

async function ufwMissing(): Promise<string | undefined> {
  const why = await run("ufw", ["version"]).then(
    () => undefined,
    () => "ufw is not installed",
  );
  if (why !== undefined && inCi) throw new Error(`${why}: CI runs the test beside it, it does not skip it`);
  return why;
}

const allowed = ALLOWED.map((target) => target.name);

/** As Docker 20.10 leaves it on a host with a strict firewall of its own, which rejects what it does not know. */
const DOCKERS_TABLE = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p udp --dport 51820 -j ACCEPT
-A INPUT -p ICMP -j ACCEPT
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A FORWARD -j REJECT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
`;

describe.skipIf(missing !== undefined)(`wg-up.sh beside other firewalls${reason}`, () => {
  const settings = { SUBNET6: "fd66:42::/64" };
  let host: OperatorHost;

  beforeEach(async () => {
    host = await createOperatorHost("wgfire");
    await host.startServices();
  }, 60_000);
  afterEach(() => host?.destroy(), 60_000);

  const onHost = (line: string) => host.exec("host", ["sh", "-c", line]);
  const reached = () => host.reachable([...ALLOWED, ...FORBIDDEN]);

  it("reaches the internet where Docker and others have FORWARD and INPUT, and after Docker's restart", async () => {
    for (const [tool, icmp] of [
      ["iptables", "icmp"],
      ["ip6tables", "ipv6-icmp"],
    ] as const) {
      await onHost(`${tool}-restore <<'END'\n${DOCKERS_TABLE.replace("ICMP", icmp)}END`);
    }
    await host.wgUp([], settings);
    await host.connect("buyer1");
    expect(await reached()).toEqual(allowed);

    let isOver = false;
    const ping = host
      .exec("buyer1", ["ping", "-q", "-c", "150", "-i", "0.02", "-W", "10", WEB.v4])
      .finally(() => {
        isOver = true;
      });
    while (!isOver) await host.wgUp(["--rules"]);
    expect(await ping).toContain("150 packets transmitted, 150 received");

    // It takes its jumps out and puts them before all others.
    for (const chain of ["DOCKER-ISOLATION-STAGE-1", "DOCKER-USER"]) {
      await onHost(
        `for t in iptables ip6tables; do $t -D FORWARD -j ${chain}; $t -I FORWARD -j ${chain}; done`,
      );
    }
    expect(await reached()).toEqual(allowed);

    await onHost(`for t in iptables ip6tables; do $t -D FORWARD -j europa-fwd-${host.interfaceName}; done`);
    await onHost(`for t in iptables ip6tables; do $t -D INPUT -j europa-in-${host.interfaceName}; done`);
    expect(await reached()).toEqual([]);
    await host.wgUp(["--rules"]);
    expect(await reached()).toEqual(allowed);
  }, 60_000);

  it("reaches the same through an nftables.conf that flushes everything and includes its rules", async () => {
    await host.wgUp([], settings);
    await host.connect("buyer1");
    const conf = join(host.wireguardFolder, "nftables.conf");
    const own =
      "table inet own {\n  chain forward { type filter hook forward priority 0; policy accept; }\n}";
    await writeFile(conf, `flush ruleset\n${own}\ninclude "/etc/wireguard/europa_host_*.nft"\n`);
    await onHost("nft -f /etc/wireguard/nftables.conf && nft -f /etc/wireguard/nftables.conf");
    expect(await reached()).toEqual(allowed);

    await host.wgUp(["--undo"]);
    await onHost("nft -f /etc/wireguard/nftables.conf");
    expect(await onHost("nft list tables")).toBe("table inet own\n");
  });

  it.skipIf(noUfw)(
    `reaches the internet beside ufw, enabled before or after, reloaded and restarted${noUfw ? ` (skipped: ${noUfw})` : ""}`,
    async () => {
      // Its files, for this host alone.
      await cp("/etc/ufw", `${host.ownEtc}/ufw`, { recursive: true });
      await onHost("ufw allow 51820/udp; ufw --force enable");
      await host.wgUp([], settings);
      await host.connect("buyer1");
      expect(await reached()).toEqual(allowed);

      expect(await onHost("iptables -S; ip6tables -S")).toMatch(/-P FORWARD DROP[\s\S]*-P FORWARD DROP/);
      await onHost("ufw reload");
      expect(await reached()).toEqual(allowed);
      await onHost("ufw disable && ufw --force enable");
      expect(await reached()).toEqual(allowed);
      await host.wgUp(["--undo"]);
      expect(await onHost("nft list ruleset")).not.toContain("europa");
      await onHost("ufw disable");
    },
    120_000,
  );
});
