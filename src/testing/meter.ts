import type { Place, TunnelWorld } from "./namespaces.ts";

/** Inner bytes up to a moment. */
export interface Reading {
  bytes: number;
  atMs: number;
}

const ETHERNET_HEADER_BYTES = 14;

/** What came out of a buyer's tunnel so far, whatever the kernel's limits counted. */
export function readDownload(world: TunnelWorld, buyer: `buyer${number}`): Promise<Reading> {
  return read(world, buyer, `${world.interfaceName}-${buyer.slice("buyer".length)}`, "rx", 0);
}

/** What went on to the web so far, of all buyers. */
export function readUpload(world: TunnelWorld): Promise<Reading> {
  return read(world, "operator", "web", "tx", ETHERNET_HEADER_BYTES);
}

/** Numbers and the clock in one go: nothing else has its turn in between. */
async function read(
  world: TunnelWorld,
  place: Place,
  device: string,
  direction: "rx" | "tx",
  headerBytes: number,
): Promise<Reading> {
  const statistics = `/sys/class/net/${device}/statistics/${direction}`;
  const script = `cat ${statistics}_bytes ${statistics}_packets; date +%s%3N`;
  const printed = (await world.exec(place, ["sh", "-c", script])).trim().split("\n").map(Number);
  const [bytes = 0, packets = 0, atMs = 0] = printed;
  return { bytes: bytes - headerBytes * packets, atMs };
}

export function mbitBetween(from: Reading, to: Reading): number {
  return ((to.bytes - from.bytes) * 8) / 1000 / (to.atMs - from.atMs);
}
