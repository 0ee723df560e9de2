import { statfsSync } from "node:fs";

/** What sales under way may still need when no new ones begin: their proofs, their tunnels, their wallet events. */
export const RESERVE_MIB = 8;

/** Bytes that the folder's disk takes beyond the reserve; below zero when that is touched already. */
export function roomIn(folder: string): number {
  const { blocks, bavail, bsize } = statfsSync(folder);
  // Some network and union file systems do not count.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize - RESERVE_MIB * 2 ** 20;
}
