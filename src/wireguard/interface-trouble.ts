import { readFile } from "node:fs/promises";
import { z } from "zod";
import { serverAddress6 } from "../tunnels/both-families.ts";
import type { InterfaceTrouble, InterfaceView } from "../tunnels/ports.ts";
import { cidrRange, formatIpv4, parseIpv4 } from "../tunnels/subnet.ts";
import { CommandFailure, type Run } from "./run.ts";

export interface TroubleCheck {
  interfaceName: string;
  serverPubkey: string;
  subnetCidr: string;
  /** Where its IPv6 address is expected, with forwarding on for it; undefined without IPv6. */
  subnet6: string | undefined;
  run: Run;
  /** The interface is in this process's own network namespace, so its /proc tells about it. */
  ownNamespace: boolean;
}

/** Everything that would let a sale go through and the tunnel stay dead (rule 19); the first fault found. */
export async function findTrouble(
  check: TroubleCheck,
  view: InterfaceView,
): Promise<InterfaceTrouble | undefined> {
  try {
    return keyTrouble(check, view) ?? (await addressTrouble(check)) ?? (await forwardingTrouble(check));
  } catch (error) {
    return troubleOf(error, check.interfaceName);
  }
}

/** What a failed `wg` or `ip` means for the operator, and the mend. */
export function troubleOf(error: unknown, interfaceName: string): InterfaceTrouble {
  const program = error instanceof CommandFailure ? error.program : "the system";
  switch (error instanceof CommandFailure ? error.fault : "failed") {
    case "no-device":
      return {
        code: "no-interface",
        message: `there is no WireGuard interface ${interfaceName}; bring it up: wg-quick up ${interfaceName}, or the first time sh scripts/wg-up.sh`,
      };
    case "no-permission":
      return {
        code: "no-permission",
        message: `no permission to manage ${interfaceName}; run as root or with the capability CAP_NET_ADMIN`,
      };
    case "not-found":
      return {
        code: "not-answering",
        message: `${program} cannot be run; install wireguard-tools and iproute2 (apt-get install wireguard-tools iproute2)`,
      };
    case "timed-out":
      return {
        code: "not-answering",
        message: `${program} did not end in time; see what holds it up: wg show ${interfaceName} listen-port`,
      };
    case "no-object":
    case "failed":
      return {
        code: "not-answering",
        message: `${error instanceof CommandFailure ? error.message : "reading the interface failed"}; try by hand: wg show ${interfaceName} listen-port`,
      };
  }
}

export function keyTrouble({ interfaceName, serverPubkey }: TroubleCheck, view: InterfaceView) {
  if (view.publicKey === serverPubkey) return undefined;
  const wrong = view.publicKey === "" ? "no private key" : "another key than wireguard.server_pubkey";
  return {
    code: "wrong-key" as const,
    message: `${interfaceName} has ${wrong}; set server_pubkey to what "wg show ${interfaceName} public-key" prints, or give the interface its key: wg set ${interfaceName} private-key /etc/wireguard/server.key`,
  };
}

const ipAddrAnswer = z.array(
  z.object({
    flags: z.array(z.string()).optional(),
    addr_info: z.array(z.object({ family: z.string(), local: z.string().optional() })).optional(),
  }),
);

export async function addressTrouble({ interfaceName, subnetCidr, subnet6, run }: TroubleCheck) {
  const answer = await run("ip", ["-j", "addr", "show", "dev", interfaceName]);
  const links = ipAddrAnswer.parse(JSON.parse(answer));
  if (links.some((link) => link.flags !== undefined && !link.flags.includes("UP"))) {
    return {
      code: "no-interface" as const,
      message: `${interfaceName} is down; bring it up: ip link set up dev ${interfaceName}`,
    };
  }
  const addresses = links.flatMap((link) => link.addr_info ?? []).flatMap(({ local }) => local ?? []);
  const wanted = missingAddress(addresses, subnetCidr, subnet6);
  if (wanted === undefined) return undefined;
  return {
    code: "wrong-address" as const,
    message: `${interfaceName} has no address in ${wanted.network}; give it one: ip addr add ${wanted.address} dev ${interfaceName}`,
  };
}

function missingAddress(addresses: readonly string[], subnetCidr: string, subnet6: string | undefined) {
  if (!addresses.some((address) => isWithin(subnetCidr, address))) {
    return { network: subnetCidr, address: firstAddress(subnetCidr) };
  }
  if (subnet6 === undefined || addresses.includes(serverAddress6(subnet6))) return undefined;
  return { network: subnet6, address: `${serverAddress6(subnet6)}/${subnet6.split("/")[1]}` };
}

function isWithin(subnetCidr: string, address: string): boolean {
  const range = cidrRange(subnetCidr);
  const number = parseIpv4(address);
  return range !== undefined && number !== undefined && number >= range.from && number <= range.to;
}

/** The server's own by custom, with the subnet's mask. */
function firstAddress(subnetCidr: string): string {
  const range = cidrRange(subnetCidr);
  return `${formatIpv4((range?.from ?? 0) + 1)}/${subnetCidr.split("/")[1] ?? "32"}`;
}

const FORWARDING = { family: "IPv4", key: "net.ipv4.ip_forward" };
const FORWARDING6 = { family: "IPv6", key: "net.ipv6.conf.all.forwarding" };

export async function forwardingTrouble({ subnet6, run, ownNamespace }: TroubleCheck) {
  for (const { family, key } of subnet6 === undefined ? [FORWARDING] : [FORWARDING, FORWARDING6]) {
    const path = `/proc/sys/${key.replaceAll(".", "/")}`;
    const text = ownNamespace ? await readFile(path, "utf8") : await run("cat", [path]);
    if (text.trim() !== "0") continue;
    return {
      code: "forwarding-off" as const,
      message: `${family} forwarding is off, no packet would leave the tunnel; sysctl -w ${key}=1`,
    };
  }
  return undefined;
}
