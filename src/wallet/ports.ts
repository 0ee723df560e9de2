/** NUT-07. */
export type ProofState = "UNSPENT" | "PENDING" | "SPENT";

/** What the wallet asks of mints. Fulfilled by `cashu/`. */
export interface ProofStates {
  /**
   * What the mint says of these proofs, by `Y` in lower case; those that it did not speak of are not in the answer.
   * Ends at its first silence. Never throws.
   */
  statesOf(
    mintUrl: string,
    ys: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ProofState>>;
}
