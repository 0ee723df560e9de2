import { readFileSync } from "node:fs";
import type { Facts } from "../db/facts.ts";

const FACT = "limits-set-in-boot";

/** What is known of the kernel's limits where nft cannot be asked: a table stands until the host boots, or is told. */
export function createFormerLimits(facts: Facts) {
  return {
    set: () => facts.set(FACT, bootId() ?? ""),
    gone: () => facts.set(FACT, ""),
    mayStand: () => bootId() !== undefined && facts.get(FACT) === bootId(),
  };
}

/** random(4). Undefined where the kernel does not say. */
function bootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return undefined;
  }
}
