import type { KeysetInfo, MintKeys } from "./keysets.ts";

const MAX_OUTPUTS = 100;

export interface PlannedOutput {
  amountSat: number;
  keysetId: string;
  mintPubkey: string;
}

/**
 * Splits an amount over the keyset's denominations, largest first, and orders the outputs by amount (NUT-03: their
 * order then says nothing). `undefined` when the keyset cannot make the amount in a sane number of proofs.
 */
export function planOutputs(
  amountSat: number,
  info: KeysetInfo,
  keys: MintKeys,
): PlannedOutput[] | undefined {
  const planned: PlannedOutput[] = [];
  let restSat = amountSat;
  for (const [denominationSat, mintPubkey] of [...keys].sort(([a], [b]) => b - a)) {
    const times = Math.floor(restSat / denominationSat);
    if (planned.length + times > MAX_OUTPUTS) return undefined;
    for (let made = 0; made < times; made += 1) {
      planned.push({ amountSat: denominationSat, keysetId: info.id, mintPubkey });
    }
    restSat -= times * denominationSat;
  }
  return restSat === 0 && planned.length > 0 ? planned.reverse() : undefined;
}
