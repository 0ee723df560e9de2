import { z } from "zod";
import type { LimitsView } from "../tunnels/ports.ts";

/** A rate is two of nft's limits, one a direction, each in the map of its name. */
export const DIRECTIONS = ["up", "down"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Beside what a rate passes in a second, which nft lets pass at once after a pause: one packet of many segments. */
const BURST_BYTES = 65_536;
const BYTES_PER_MBIT = 125_000;

export function limitOfRate(name: string, direction: Direction): string {
  return `${name}_${direction}`;
}

/** What follows the limit's name where it is added. */
export function rateTerms(rateMbit: number): string {
  const bytes = Math.max(1, Math.round(rateMbit * BYTES_PER_MBIT));
  return `{ rate over ${bytes} bytes/second burst ${BURST_BYTES} bytes }`;
}

/** As nft prints it, in the largest unit that divides it. */
export const printedLimit = z.object({
  name: z.string(),
  rate: z.number(),
  rate_unit: z.enum(["bytes", "kbytes", "mbytes"]).default("bytes"),
});
const UNIT_BYTES = { bytes: 1, kbytes: 1024, mbytes: 1024 ** 2 };

/** Undefined where they are not as we set them: both directions alike, and each limit led to. */
export function readRates(
  limits: readonly z.infer<typeof printedLimit>[],
  elementsOf: (direction: Direction) => readonly unknown[],
): LimitsView["rates"] | undefined {
  const [up, down] = DIRECTIONS.map((direction) => {
    const mbitOf = new Map(
      limits.map(({ name, rate, rate_unit }) => [name, (rate * UNIT_BYTES[rate_unit]) / BYTES_PER_MBIT]),
    );
    const suffix = limitOfRate("", direction);
    return new Map(
      elementsOf(direction).flatMap((element) => {
        const [address, limit] = Array.isArray(element) ? (element as unknown[]) : [];
        const rateMbit = typeof limit === "string" && limit.endsWith(suffix) ? mbitOf.get(limit) : undefined;
        if (typeof address !== "string" || rateMbit === undefined) return [];
        return [[address, { name: String(limit).slice(0, -suffix.length), rateMbit }] as const];
      }),
    );
  });
  if (up === undefined || down === undefined) return undefined;
  const isAlike = [...up].every(([address, { name, rateMbit }]) => {
    const other = down.get(address);
    return other?.name === name && other.rateMbit === rateMbit;
  });
  const led = new Set([...up.values()].map(({ name }) => name));
  return isAlike && up.size === down.size && led.size * DIRECTIONS.length === limits.length ? up : undefined;
}
