import { isWireguardKey } from "../protocol/wireguard-key.ts";
import { alone } from "../tunnels/both-families.ts";
import type { PeerChange } from "../tunnels/ports.ts";
import { isAdmissible } from "./peer-guard.ts";

/** One peer's part of a `wg set` command line. */
export interface PeerStep {
  publicKey: string;
  args: string[];
}

/**
 * Removals first: an address may pass from a removed peer to a new one in the same change, and `wg` works
 * through its arguments in order. What must not reach an argv is returned as `rejected` (removing a key that
 * cannot be one is nothing to do, since it cannot be there).
 */
export function planSteps(
  change: PeerChange,
  serverPubkey: string,
): { steps: PeerStep[]; rejected: string[] } {
  const removals = change.remove
    .filter(isWireguardKey)
    .map((publicKey) => ({ publicKey, args: ["peer", publicKey, "remove"] }));
  const admissions: PeerStep[] = [];
  const rejected: string[] = [];
  for (const peer of change.set) {
    const { publicKey, addresses } = peer;
    const allowedIps = addresses.map(alone).join(",");
    if (isAdmissible(peer, serverPubkey)) {
      admissions.push({ publicKey, args: ["peer", publicKey, "allowed-ips", allowedIps] });
    } else rejected.push(publicKey);
  }
  return { steps: [...removals, ...admissions], rejected };
}

/** Cuts the steps, in order, so that each command line stays below `maxBytes`; a step alone may exceed it. */
export function inBatches(steps: PeerStep[], maxBytes: number): PeerStep[][] {
  const batches: PeerStep[][] = [];
  let batch: PeerStep[] = [];
  let batchBytes = 0;
  for (const step of steps) {
    const stepBytes = step.args.reduce((sum, arg) => sum + arg.length + 1, 0);
    if (batch.length > 0 && batchBytes + stepBytes > maxBytes) {
      batches.push(batch);
      batch = [];
      batchBytes = 0;
    }
    batch.push(step);
    batchBytes += stepBytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
