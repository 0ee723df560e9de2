import { z } from "zod";
import type { LimitsView } from "../tunnels/ports.ts";
import { formatIpv4, parseIpv4 } from "../tunnels/subnet.ts";

/** A set each. An address is in both or in neither. */
export const DIRECTIONS = ["up", "down"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Beside what a rate passes in a second, which nft lets pass at once after a pause: one packet of many segments. */
const BURST_BYTES = 65_536;
const BYTES_PER_MBIT = 125_000;
const UNIT_BYTES = { bytes: 1, kbytes: 1024, mbytes: 1024 ** 2 };

/**
 * The last 32 bits of an address, from the packet's header: by those both addresses of a session have one rate. In IPv6
 * another's address may end so too.
 */
export const RATE_KEYS = {
  ip: { saddr: "meta nfproto ipv4 @nh,96,32", daddr: "meta nfproto ipv4 @nh,128,32" },
  ip6: { saddr: "ip6 saddr @limited6 @nh,160,32", daddr: "ip6 daddr @limited6 @nh,288,32" },
} as const;

export function emptyRates(direction: Direction): string {
  return `set ${direction} { typeof @nh,96,32; ${limitAt(1)}; }`;
}

/** Undefined for an address of IPv6: its company stands for it. */
export function rateKey(address: string): string | undefined {
  return parseIpv4(address)?.toString();
}

export function limitAt(rateMbit: number): string {
  const bytes = Math.max(1, Math.round(rateMbit * BYTES_PER_MBIT));
  return `limit rate over ${bytes} bytes/second burst ${BURST_BYTES} bytes`;
}

/** nft prints the largest unit that divides it. */
const rateElement = z.object({
  elem: z.object({
    val: z.number(),
    limit: z.object({ rate: z.number(), rate_unit: z.enum(["bytes", "kbytes", "mbytes"]).default("bytes") }),
  }),
});

function inMbit({ rate, rate_unit }: z.infer<typeof rateElement>["elem"]["limit"]): number {
  return (rate * UNIT_BYTES[rate_unit]) / BYTES_PER_MBIT;
}

/** Where the directions differ, the rate is none that anybody wants: NaN. */
export function readRates(elementsOf: (direction: Direction) => readonly unknown[]): LimitsView["rates"] {
  const [up = new Map(), down = new Map()] = DIRECTIONS.map((direction) => {
    const elements = elementsOf(direction).flatMap((each) => rateElement.safeParse(each).data?.elem ?? []);
    return new Map(elements.map(({ val, limit }) => [formatIpv4(val), inMbit(limit)]));
  });
  return new Map(
    [...up, ...down].map(([address, rate]) => [
      address,
      up.get(address) === down.get(address) ? rate : Number.NaN,
    ]),
  );
}
