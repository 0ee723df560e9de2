import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { ip, run, type WireguardBackend } from "./namespace-tools.ts";

export type WireguardFound =
  | { available: true; backend: WireguardBackend }
  | { available: false; why: string };

/** Whether network namespaces with WireGuard can be made here; tries it with a namespace of its own. */
export async function detectWireguard(): Promise<WireguardFound> {
  if (process.getuid?.() !== 0) return { available: false, why: "not run as root" };
  for (const [program, versionFlag, debianPackage] of [
    ["ip", "-V", "iproute2"],
    ["wg", "--version", "wireguard-tools"],
    ["curl", "--version", "curl"],
    ["nft", "--version", "nftables"],
  ] as const) {
    if (!(await works(program, [versionFlag])))
      return { available: false, why: `${debianPackage} is not installed` };
  }
  const probe = `europa-${randomBytes(4).toString("hex")}`;
  if (!(await works("ip", ["netns", "add", probe]))) {
    return { available: false, why: "no permission to make network namespaces" };
  }
  try {
    if (await ip(probe, "link add probe type wireguard").then(yes, no))
      return { available: true, backend: "kernel" };
  } finally {
    await run("ip", ["netns", "del", probe]);
  }
  if (!(await works("wireguard-go", ["--version"]))) {
    return { available: false, why: "the kernel has no WireGuard and wireguard-go is not installed" };
  }
  if (!existsSync("/dev/net/tun")) return { available: false, why: "wireguard-go needs /dev/net/tun" };
  return { available: true, backend: "wireguard-go" };
}

const yes = () => true;
const no = () => false;

function works(program: string, args: string[]): Promise<boolean> {
  return run(program, args).then(yes, no);
}
