/**
 * An operator's host as `scripts/wg-up.sh` finds it, in network namespaces, with all around it that a buyer could
 * try to reach:
 *
 *   buyer1 192.0.2.11 ─┐             192.168.77.1, 198.51.101.1 ── lan 192.168.77.10, 198.51.101.10
 *   buyer2 192.0.2.12 ─┴ 192.0.2.1 host
 *                                    203.0.113.5 ── 203.0.113.1 internet (the router and all that is behind it)
 *
 * The same in IPv6. `/etc/wireguard` is the host's own (`ip netns exec` mounts /etc/netns over /etc).
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BEHIND_THE_ROUTER, WEB } from "./buyers-targets.ts";
import { type RunningProcess, reachable, startListeners, type Target } from "./connections.ts";
import { detectWireguard } from "./detect-wireguard.ts";
import { eventually } from "./eventually.ts";
import { tracesOn } from "./host-traces.ts";
import { controlSocket, exec, ip, removeNamespaces, run } from "./namespace-tools.ts";
import { makeTempDir } from "./temp-dir.ts";
import { bringUpClient, readClientConf } from "./tunnel-client.ts";
import { startWebServer } from "./web-server.ts";
import { generateWireguardKeys } from "./wireguard-keys.ts";

export type HostPlace = "host" | "internet" | "lan" | "buyer1" | "buyer2";
type Buyer = "buyer1" | "buyer2";

const PLACES: readonly HostPlace[] = ["host", "internet", "lan", "buyer1", "buyer2"];
const PORTS = [22, 25, 53, 443];
const SCRIPT = join(import.meta.dirname, "../../scripts/wg-up.sh");

export interface OperatorHost {
  /** Unique on this machine, as wireguard-go wants it. */
  interfaceName: string;
  /** What lies here stands in the host's /etc in the place of what this machine has there. */
  ownEtc: string;
  /** `/etc/wireguard` of the host, as this test sees it. */
  wireguardFolder: string;
  /** The server's private key. */
  keyFile: string;
  namespaceOf(place: HostPlace): string;
  exec(place: HostPlace, argv: readonly string[]): Promise<string>;
  /** Lets everything answer that a buyer may try: TCP everywhere, and the web. */
  startServices(ports?: readonly number[]): Promise<void>;
  /** `scripts/wg-up.sh` on the host; gives back stdout and stderr. Rejects with both when it fails. */
  wgUp(args?: readonly string[], settings?: Readonly<Record<string, string>>): Promise<string>;
  wgQuick(action: "up" | "down"): Promise<void>;
  /** Brings up a buyer's tunnel from his .conf; an earlier one goes. */
  bringUpClient(buyer: Buyer, conf: string, privateKey: string): Promise<void>;
  /** Admits a buyer as a peer and brings up his tunnel, of `mtu` bytes on his side. */
  connect(buyer: Buyer, mtu?: number): Promise<void>;
  /** The names of those targets that answer, buyer1 through his tunnel unless told. */
  reachable(targets: readonly Target[], from?: HostPlace): Promise<string[]>;
  /** All that the script might leave behind on the host, in text. */
  traces(): Promise<Record<string, string>>;
  destroy(): Promise<void>;
}

/** Why these tests cannot run here, or undefined when they can. In CI that is an error. */
export async function operatorHostMissing(inCi: boolean): Promise<string | undefined> {
  const found = await detectWireguard();
  const why = found.available ? await missingTool() : found.why;
  if (why !== undefined && inCi)
    throw new Error(`${why}: CI runs the tests of wg-up.sh, it does not skip them`);
  return why;
}

async function missingTool(): Promise<string | undefined> {
  for (const [program, args, debianPackage] of [
    ["wg-quick", ["--help"], "wireguard-tools"],
    ["iptables", ["--version"], "iptables"],
    ["ping", ["-V"], "iputils-ping"],
  ] as const) {
    const there = await run(program, args).then(
      () => true,
      () => false,
    );
    if (!there) return `${debianPackage} is not installed`;
  }
  return undefined;
}

/** Builds it, after removing what a crashed run with the same tag (one to eight of a-z and 0-9) left. */
export async function createOperatorHost(tag: string): Promise<OperatorHost> {
  const found = await detectWireguard();
  if (!found.available) throw new Error(`no operator's host here: ${found.why}`);
  const { backend } = found;
  const namespaceOf = (place: HostPlace) => `eu-${tag}-${place}`;
  const host = namespaceOf("host");
  const interfaceName = `wg-${tag}`;
  const clientOf = (buyer: Buyer) => `wg-${tag}-${buyer.slice(-1)}`;
  const etc = `/etc/netns/${host}`;
  const folder = await makeTempDir();
  const server = generateWireguardKeys();
  const keyFile = join(folder.path, "wg-server.key");
  const running: RunningProcess[] = [];

  async function removeAll(): Promise<void> {
    for (const process of running.splice(0)) await process.stop();
    await removeNamespaces(`eu-${tag}-`);
    await rm(etc, { recursive: true, force: true });
    for (const name of [interfaceName, clientOf("buyer1"), clientOf("buyer2")]) {
      await rm(controlSocket(name), { force: true });
    }
    await rm(`/run/europa-host/${interfaceName}.before`, { force: true });
  }

  async function destroy(): Promise<void> {
    await removeAll();
    await folder.remove();
  }

  async function build(): Promise<void> {
    await mkdir(join(etc, "wireguard"), { recursive: true });
    await writeFile(keyFile, `${server.privateKey}\n`, { mode: 0o600 });
    for (const place of PLACES) {
      await run("ip", ["netns", "add", namespaceOf(place)]);
      await ip(namespaceOf(place), "link set up dev lo");
      await exec(namespaceOf(place), ["sh", "-c", NO_DUPLICATE_CHECK]);
    }
    const internet = namespaceOf("internet");
    await link(host, "uplink", ["203.0.113.5/24", "2001:db8:113::5/64"], internet, [
      ...["203.0.113.1/24", "203.0.113.99/24", "2001:db8:113::1/64", "2001:db8:113::99/64"],
    ]);
    for (const address of BEHIND_THE_ROUTER) await addAddress(internet, address, "lo");
    await ip(host, "route add default via 203.0.113.1");
    await ip(host, "-6 route add default via 2001:db8:113::1");
    await link(
      host,
      "lan",
      ["192.168.77.1/24", "198.51.101.1/24", "fd77::1/64", "2001:db8:77::1/64"],
      namespaceOf("lan"),
      ["192.168.77.10/24", "198.51.101.10/24", "fd77::10/64", "2001:db8:77::10/64"],
    );
    // As a container's namespace has it.
    await ip(namespaceOf("lan"), "route add default via 192.168.77.1");
    for (const number of [1, 2] as const) {
      const address = `192.0.2.1${number}`;
      await link(host, `buyer${number}`, [`192.0.2.1 peer ${address}`], namespaceOf(`buyer${number}`), [
        `${address} peer 192.0.2.1`,
      ]);
    }
    // They come with the carrier. Neighbour discovery for forwarded packets needs them.
    const linkLocals = () => ip(host, "-6 -o addr show scope link");
    await eventually(async () => (await linkLocals()).split("\n").filter(Boolean).length === 4);
  }

  async function startServices(ports: readonly number[] = PORTS): Promise<void> {
    for (const place of PLACES) running.push(await startListeners(namespaceOf(place), ports));
    for (const address of [WEB.v4, WEB.v6])
      running.push(await startWebServer(namespaceOf("internet"), address));
  }

  /** To a file and not to a pipe: wireguard-go goes to the background and would hold that open. */
  async function onHost(words: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
    const output = join(folder.path, "output");
    const quiet = ["sh", "-c", 'out=$1; shift; exec "$@" >"$out" 2>&1', "sh", output];
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const failure = await exec(host, [...quiet, "env", ...variables, ...words]).then(
      () => undefined,
      (error: unknown) => error,
    );
    const said = existsSync(output) ? await readFile(output, "utf8") : "";
    if (failure !== undefined) throw new Error(`${words.join(" ")}:\n${said}`, { cause: failure });
    return said;
  }

  await removeAll();
  await build().catch(async (error) => {
    await destroy();
    throw error;
  });

  const bringUp = (buyer: Buyer, conf: string, privateKey: string) =>
    bringUpClient(namespaceOf(buyer), clientOf(buyer), backend, readClientConf(conf, privateKey));
  const userspace = { WG_QUICK_USERSPACE_IMPLEMENTATION: "wireguard-go" };
  return {
    interfaceName,
    ownEtc: etc,
    wireguardFolder: join(etc, "wireguard"),
    keyFile,
    namespaceOf,
    exec: (place, argv) => exec(namespaceOf(place), argv),
    startServices,
    wgUp: (args = [], settings = {}) =>
      onHost(["sh", SCRIPT, ...args], {
        ...userspace,
        INTERFACE: interfaceName,
        PRIVATE_KEY_FILE: keyFile,
        ...settings,
      }),
    wgQuick: async (action) => void (await onHost(["wg-quick", action, interfaceName], userspace)),
    bringUpClient: bringUp,
    async connect(buyer, mtu = 1420) {
      const keys = generateWireguardKeys();
      const number = buyer === "buyer1" ? 2 : 3;
      const addresses = [`10.66.42.${number}/32`, `fd66:42::${number}/128`];
      await exec(host, [
        ...["wg", "set", interfaceName, "peer", keys.publicKey],
        ...["allowed-ips", addresses.join(",")],
      ]);
      const conf = [
        ...["[Interface]", "PrivateKey = his own", `Address = ${addresses.join(", ")}`, `MTU = ${mtu}`],
        ...["[Peer]", `PublicKey = ${server.publicKey}`, "Endpoint = 192.0.2.1:51820"],
        "AllowedIPs = 0.0.0.0/0, ::/0",
      ].join("\n");
      await bringUp(buyer, conf, keys.privateKey);
    },
    reachable: (targets, from = "buyer1") => reachable(namespaceOf(from), targets),
    traces: () => tracesOn(host, interfaceName),
    destroy,
  };
}

/** A pair of ends of one cable with their addresses. */
async function link(
  host: string,
  linkName: string,
  hostAddresses: readonly string[],
  other: string,
  otherAddresses: readonly string[],
): Promise<void> {
  const ends = ["type", "veth", "peer", "name", "eth0", "netns", other];
  await run("ip", ["link", "add", linkName, "netns", host, ...ends]);
  for (const address of hostAddresses) await addAddress(host, address, linkName);
  for (const address of otherAddresses) await addAddress(other, address, "eth0");
  await ip(host, `link set up dev ${linkName}`);
  await ip(other, "link set up dev eth0");
}

function addAddress(namespace: string, address: string, linkName: string): Promise<string> {
  return ip(namespace, `addr add ${address} dev ${linkName}`);
}

/** Or an IPv6 address could be used only seconds later. */
const NO_DUPLICATE_CHECK =
  "cd /proc/sys/net/ipv6/conf; for of in all default lo; do echo 0 >$of/accept_dad; done";
