/** NUT-02: the input fee of a swap in sat, from the parts per thousand of each input's keyset. */
export function inputFeeSat(feePpks: number[]): number {
  return Math.ceil(feePpks.reduce((sum, ppk) => sum + ppk, 0) / 1000);
}

/** What the operator bears: at most his bound, and at most a fifth of the face amount (rule 12). */
export function bearableFeeSat(faceSat: number, maxFeeSat: number): number {
  return Math.min(maxFeeSat, Math.floor(faceSat / 5));
}
