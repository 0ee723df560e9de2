/**
 * A small internet in network namespaces, for tests and the demo:
 *
 *   buyer1 192.0.2.11 ──┐
 *   buyer2 192.0.2.12 ──┴─ 192.0.2.1  operator  203.0.113.1 ── 203.0.113.10 web
 *                                        │
 *                    this host 198.1[89].x.1/30 ── 198.1[89].x.2 operator
 *
 * Buyers reach the operator only; the web answers nobody but the operator (NAT). The link to this host is for
 * relay and mint when the daemon runs inside: they listen on `hostAddress` (or on all), and the daemon is
 * reached at `operatorAddress`.
 */
import { rmSync } from "node:fs";
import { cidrRange, formatIpv4 } from "../tunnels/subnet.ts";
import { detectWireguard } from "./detect-wireguard.ts";
import { type HostLink, linkToThisHost } from "./host-link.ts";
import {
  addWireguardLink,
  controlSocket,
  exec,
  inNamespace,
  ip,
  removeNamespaces,
  removeWireguardLink,
  run,
  withSecretFile,
} from "./namespace-tools.ts";
import { bringUpClient, readClientConf } from "./tunnel-client.ts";
import { startWebServer, type WebServer } from "./web-server.ts";
import { wireguardPublicKey } from "./wireguard-keys.ts";

const OPERATOR_ADDRESS = "192.0.2.1";
const OPERATOR_WEB_ADDRESS = "203.0.113.1";
const WEB_ADDRESS = "203.0.113.10";
export const WEB_ADDRESS6 = "2001:db8:113::10";

export type BuyerPlace = `buyer${number}`;
export type Place = "operator" | "web" | BuyerPlace;

export interface TunnelWorldOptions {
  /** Base64. */
  serverPrivateKey: string;
  /** `10.66.42.0/24`; the operator gets its first address. */
  subnetCidr: string;
  /** `fd66:42::/64`: the operator gets its first address, and the web is there in IPv6 too. */
  subnet6?: string | undefined;
  listenPort?: number;
  /** One to eight of a-z and 0-9; worlds with different tags live side by side. */
  tag: string;
  /** How many buyers there are, `buyer1` to `buyer9`; one unless told. */
  buyers?: number;
}

export interface FetchOptions {
  /** `/` says who asks, `/bytes/N` is N bytes long. */
  path?: string;
  buyer?: BuyerPlace;
  timeoutSeconds?: number;
}

export interface TunnelWorld {
  /** The operator's WireGuard interface (not `wg0`: wireguard-go wants a name that is unique on the host). */
  interfaceName: string;
  serverPublicKey: string;
  /** For `Endpoint` in a .conf. */
  endpoint: string;
  endpointHost: string;
  endpointPort: number;
  /** Of this host, as the operator's namespace sees it. */
  hostAddress: string;
  /** Of the operator, as this host sees it. */
  operatorAddress: string;
  webUrl: string;
  /** What the web sees of a buyer behind the operator's NAT. */
  natAddress: string;
  /** Put before a command it runs there, the daemon's own included. */
  commandPrefix(place: Place): string[];
  /** Gives back stdout. */
  exec(place: Place, argv: readonly string[]): Promise<string>;
  /** Applies a .conf in the buyer's namespace with his private key in it; an earlier one goes. */
  bringUpBuyer(confText: string, privateKey: string, buyer?: BuyerPlace): Promise<void>;
  takeDownBuyer(buyer?: BuyerPlace): Promise<void>;
  /** A page from the web; rejects when none comes within `timeoutSeconds` (5). */
  fetchThroughTunnel(options?: FetchOptions): Promise<string>;
  /** Whether the address (the web's, unless told) answers within two seconds. */
  ping(address?: string, buyer?: BuyerPlace): Promise<boolean>;
  /** As `wg-quick down`: the interface is gone, and its peers with it. */
  tearDownWg0(): Promise<void>;
  /**
   * As `wg-quick up`: key, port and address, no peers. A buyer who was connected notices after 15 s of silence
   * (WireGuard's keepalive and rekey timeouts) unless he is brought up again.
   */
  bringUpWg0(): Promise<void>;
  /** Kills everything that runs in the world and removes it. May be called twice. */
  destroy(): Promise<void>;
}

/** Builds it, after removing what a crashed run with the same tag left. Throws when `detectWireguard` says no. */
export async function createTunnelWorld(options: TunnelWorldOptions): Promise<TunnelWorld> {
  const { serverPrivateKey, subnetCidr, subnet6, listenPort = 51820, tag, buyers = 1 } = options;
  const subnet = cidrRange(subnetCidr);
  if (!/^[a-z0-9]{1,8}$/.test(tag)) throw new TypeError("a tag is one to eight of a-z and 0-9");
  if (subnet === undefined) throw new TypeError("not an IPv4 subnet");
  if (!Number.isInteger(buyers) || buyers < 1 || buyers > 9) throw new TypeError("one to nine buyers");
  const found = await detectWireguard();
  if (!found.available) throw new Error(`no tunnel world here: ${found.why}`);
  const { backend } = found;

  const namespaceOf = (place: Place) => `eu-${tag}-${place}`;
  const operator = namespaceOf("operator");
  const interfaceName = `wg-${tag}`;
  const clientOf = (buyer: BuyerPlace) => `wg-${tag}-${buyer.slice("buyer".length)}`;
  const buyerPlaces = Array.from({ length: buyers }, (_, index): BuyerPlace => `buyer${index + 1}`);
  const hostLink = `eu-${tag}`;
  const webServers: WebServer[] = [];

  async function destroy(): Promise<void> {
    for (const server of webServers.splice(0)) await server.stop();
    await run("ip", ["link", "del", hostLink]).catch(() => undefined);
    await removeNamespaces(`eu-${tag}-`);
    for (let index = 1; index <= 9; index++)
      rmSync(controlSocket(clientOf(`buyer${index}`)), { force: true });
    rmSync(controlSocket(interfaceName), { force: true });
  }

  async function bringUpWg0(): Promise<void> {
    await addWireguardLink(operator, interfaceName, backend);
    await withSecretFile(serverPrivateKey, (path) =>
      exec(operator, ["wg", "set", interfaceName, "private-key", path, "listen-port", String(listenPort)]),
    );
    const address = `${formatIpv4((subnet?.from ?? 0) + 1)}/${subnetCidr.split("/")[1]}`;
    await ip(operator, `addr add ${address} dev ${interfaceName}`);
    if (subnet6 !== undefined) {
      await ip(operator, `addr add ${subnet6.replace("::/", "::1/")} dev ${interfaceName}`);
    }
    await ip(operator, `link set up dev ${interfaceName}`);
  }

  async function build(): Promise<HostLink> {
    for (const place of ["operator", "web", ...buyerPlaces] as const) {
      await run("ip", ["netns", "add", namespaceOf(place)]);
      await ip(namespaceOf(place), "link set up dev lo");
    }
    for (const [index, buyer] of buyerPlaces.entries()) {
      await linkBuyer(operator, namespaceOf(buyer), buyer, `192.0.2.${11 + index}`);
    }
    await linkWeb(operator, namespaceOf("web"), subnetCidr);
    if (subnet6 !== undefined) {
      await linkWeb6(operator, namespaceOf("web"), subnet6);
      webServers.push(await startWebServer(namespaceOf("web"), WEB_ADDRESS6));
    }
    const link = await linkToThisHost(operator, hostLink);
    await bringUpWg0();
    webServers.push(await startWebServer(namespaceOf("web"), WEB_ADDRESS));
    return link;
  }

  await destroy();
  const { hostAddress, operatorAddress } = await build().catch(async (error) => {
    await destroy();
    throw error;
  });

  return {
    interfaceName,
    serverPublicKey: wireguardPublicKey(serverPrivateKey),
    endpoint: `${OPERATOR_ADDRESS}:${listenPort}`,
    endpointHost: OPERATOR_ADDRESS,
    endpointPort: listenPort,
    hostAddress,
    operatorAddress,
    webUrl: `http://${WEB_ADDRESS}`,
    natAddress: OPERATOR_WEB_ADDRESS,
    commandPrefix: (place) => inNamespace(namespaceOf(place)),
    exec: (place, argv) => exec(namespaceOf(place), argv),
    bringUpBuyer: (confText, privateKey, buyer = "buyer1") =>
      bringUpClient(namespaceOf(buyer), clientOf(buyer), backend, readClientConf(confText, privateKey)),
    takeDownBuyer: (buyer = "buyer1") => removeWireguardLink(namespaceOf(buyer), clientOf(buyer)),
    fetchThroughTunnel: ({ path = "/", buyer = "buyer1", timeoutSeconds = 5 } = {}) =>
      exec(namespaceOf(buyer), [
        ...["curl", "-q", "--noproxy", "*", "--silent", "--fail", "--max-time", String(timeoutSeconds)],
        `http://${WEB_ADDRESS}${path}`,
      ]),
    ping: (address = WEB_ADDRESS, buyer = "buyer1") =>
      exec(namespaceOf(buyer), ["ping", "-c", "1", "-W", "2", address]).then(
        () => true,
        () => false,
      ),
    tearDownWg0: () => removeWireguardLink(operator, interfaceName),
    bringUpWg0,
    destroy,
  };
}

async function linkBuyer(operator: string, buyer: string, linkName: string, address: string): Promise<void> {
  await run("ip", veth(linkName, operator, "eth0", buyer));
  await ip(operator, `addr add ${OPERATOR_ADDRESS} peer ${address} dev ${linkName}`);
  await ip(operator, `link set up dev ${linkName}`);
  await ip(buyer, `addr add ${address} peer ${OPERATOR_ADDRESS} dev eth0`);
  await ip(buyer, "link set up dev eth0");
}

async function linkWeb(operator: string, web: string, subnetCidr: string): Promise<void> {
  await run("ip", veth("web", operator, "eth0", web));
  await ip(operator, `addr add ${OPERATOR_WEB_ADDRESS}/24 dev web`);
  await ip(operator, "link set up dev web");
  await ip(web, `addr add ${WEB_ADDRESS}/24 dev eth0`);
  await ip(web, "link set up dev eth0");
  await exec(operator, ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
  const masquerade = `ip saddr ${subnetCidr} oifname "web" masquerade`;
  await exec(operator, [
    "nft",
    `table ip world { chain out { type nat hook postrouting priority 100; ${masquerade}; }; }`,
  ]);
}

async function linkWeb6(operator: string, web: string, subnet6: string): Promise<void> {
  await ip(operator, "addr add 2001:db8:113::1/64 dev web nodad");
  await ip(web, `addr add ${WEB_ADDRESS6}/64 dev eth0 nodad`);
  await exec(operator, ["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"]);
  const masquerade = `ip6 saddr ${subnet6} oifname "web" masquerade`;
  await exec(operator, [
    "nft",
    `table ip6 world { chain out { type nat hook postrouting priority 100; ${masquerade}; }; }`,
  ]);
}

function veth(name: string, namespace: string, peerName: string, peerNamespace: string): string[] {
  return [
    "link",
    "add",
    name,
    "netns",
    namespace,
    "type",
    "veth",
    "peer",
    "name",
    peerName,
    "netns",
    peerNamespace,
  ];
}
