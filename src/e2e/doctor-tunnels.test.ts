import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fault, findingsOf, proveFault } from "../testing/doctor-faults.ts";
import { type DoctorHost, openDoctorHost } from "../testing/doctor-host.ts";
import { inNamespace } from "../testing/namespace-tools.ts";
import { operatorHostMissing } from "../testing/operator-host.ts";
import { toolsMissing } from "../testing/tools.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";

const inCi = Boolean(process.env.CI);
const missing =
  (await operatorHostMissing(inCi)) ?? toolsMissing(["caddy", "sysctl", "unshare", "setpriv"], inCi);

describe.skipIf(missing !== undefined)(
  `doctor: tunnels and host${missing ? ` (skipped: ${missing})` : ""}`,
  () => {
    let at: DoctorHost;
    let name: string;

    beforeAll(async () => {
      at = await openDoctorHost("drtun");
      name = at.host.interfaceName;
      await at.operator.start();
      await at.operator.waitForEvent("listing-published");
    });
    afterAll(() => at?.destroy());

    const onHost = (line: string) => at.onHost(line);
    const reload = () => at.host.wgUp(["--rules"], {});

    const faults: Fault[] = [
      {
        title: "the interface is gone",
        check: "interface",
        status: "fail",
        seen: /there is no WireGuard interface wg-drtun/,
        put: () => at.host.wgQuick("down"),
      },
      {
        title: "the interface is down",
        check: "interface-address",
        status: "fail",
        seen: /wg-drtun is down/,
        put: () => onHost(`ip link set down dev ${name}`),
      },
      {
        title: "the interface has another key",
        check: "interface-key",
        status: "fail",
        seen: /another key than wireguard\.server_pubkey/,
        put: () =>
          onHost(`echo ${generateWireguardKeys().privateKey} | wg set ${name} private-key /dev/stdin`),
      },
      {
        title: "the interface has no address of the subnet",
        check: "interface-address",
        status: "fail",
        seen: /no address in 10\.66\.42\.0\/24/,
        put: () => onHost(`ip addr del 10.66.42.1/24 dev ${name}`),
      },
      {
        title: "the interface listens on another port",
        check: "interface-port",
        status: "warn",
        seen: /UDP 51999, and buyers are told 51820/,
        put: () => onHost(`wg set ${name} listen-port 51999`),
      },
      {
        title: "IPv4 forwarding is off",
        check: "forwarding",
        status: "fail",
        seen: /IPv4 forwarding is off/,
        put: () => onHost("sysctl -w net.ipv4.ip_forward=0"),
      },
      {
        title: "IPv6 forwarding is off, and buyers get IPv6",
        check: "forwarding-v6",
        status: "fail",
        seen: /IPv6 forwarding is off, and buyers get fd66:42::\/64/,
        put: () => onHost("sysctl -w net.ipv6.conf.all.forwarding=0"),
      },
      {
        title: "NAT goes out by another interface",
        check: "nat",
        status: "fail",
        seen: /NAT goes out by lan, and the default route by uplink/,
        put: () => at.host.wgUp(["--rules"], { EGRESS: "lan" }),
      },
      {
        title: "NAT is missing",
        check: "nat",
        status: "fail",
        seen: /no NAT for 10\.66\.42\.0\/24/,
        put: () => onHost(`nft flush chain inet europa_host_${name} postrouting`),
      },
      {
        title: "the rules that keep buyers out are gone",
        check: "isolation",
        status: "fail",
        seen: /is not loaded: buyers reach this host/,
        put: () => onHost(`nft delete table inet europa_host_${name}`),
      },
      {
        title: "a hand has changed those rules",
        check: "isolation",
        status: "fail",
        seen: /is not as \/etc\/wireguard\/europa_host_wg-drtun\.nft has it/,
        put: () => onHost(`nft insert rule inet europa_host_${name} from_peer accept`),
      },
      {
        title: "a network came after those rules",
        check: "isolation",
        status: "warn",
        seen: /networks have changed since/,
        put: () => onHost("ip addr add 198.51.102.1/24 dev uplink"),
        after: async () => {
          await onHost("ip addr del 198.51.102.1/24 dev uplink");
          await reload();
        },
      },
      {
        title: "another firewall drops what is forwarded",
        check: "firewalls",
        status: "fail",
        seen: /drops what is forwarded \(ip filter FORWARD\)/,
        put: () => onHost("iptables -F FORWARD && iptables -P FORWARD DROP"),
        after: () => onHost("iptables -P FORWARD ACCEPT"),
      },
      {
        title: "a route of the host overlaps the subnet",
        check: "subnet",
        status: "fail",
        seen: /overlaps routes of this host: 10\.66\.42\.128\/25 \(lan\)/,
        put: () => onHost("ip route add 10.66.42.128/25 dev lan"),
      },
      {
        title: "the database's folder is open to others",
        check: "files",
        status: "fail",
        seen: /is open to other users of this host \(mode 755\)/,
        put: () => chmodSync(dirname(at.operator.databasePath), 0o755),
      },
      {
        title: "the database is open to others",
        check: "files",
        status: "fail",
        seen: /sessions\.db is open to other users of this host \(mode 644\)/,
        put: () => chmodSync(at.operator.databasePath, 0o644),
      },
      {
        title: "the daemon's own port is open to the world",
        check: "plain-http",
        status: "warn",
        seen: /plain HTTP, answers at 203\.0\.113\.5/,
        put: async () => {
          at.operator.replaceInConfig('host = "127.0.0.1"', 'host = "0.0.0.0"');
          await restart();
        },
        mendSays: /write host = "127\.0\.0\.1" under \[server\]/,
        mend: async () => {
          at.operator.replaceInConfig('host = "0.0.0.0"', 'host = "127.0.0.1"');
          await restart();
        },
      },
    ];

    async function restart(): Promise<void> {
      await at.operator.stop();
      await at.operator.start();
    }

    it("finds nothing to mend on a host that is as README.md sets it up", async () => {
      const wrong = (await at.look()).filter(({ status }) => status === "fail" || status === "warn");
      // The test's mint is plain HTTP.
      expect(wrong.map(({ name: check, seen }) => [check, seen])).toEqual([
        ["config", expect.stringContaining("is not encrypted")],
      ]);
      expect((await at.doctor()).exitCode).toBe(0);
    });

    it.each(faults.map((fault) => [fault.title, fault] as const))("%s", (_title, fault) =>
      proveFault(fault, at),
    );

    it("says what it could not see without root's powers, and never that it is well", async () => {
      const without = "-net_admin,-sys_admin";
      const setpriv = ["setpriv", "--bounding-set", without, "--inh-caps", without];
      const prefix = inNamespace(at.host.namespaceOf("host"));
      at.operator.writeConfig({ commandPrefix: [...prefix, ...setpriv] });
      const found = await at.look();
      at.operator.writeConfig({ commandPrefix: prefix });
      // wireguard-go answers whoever may open its socket; what nft shows is for CAP_NET_ADMIN alone.
      for (const check of ["nat", "firewalls", "isolation"]) {
        expect(findingsOf(check, found)).toEqual([
          expect.objectContaining({
            status: "unseen",
            mend: expect.stringContaining("run doctor as root"),
          }),
        ]);
      }
    });
  },
);
