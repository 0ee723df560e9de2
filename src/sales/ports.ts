/** What sales need of ecash. Fulfilled by `cashu/`; no cashu-ts type crosses this line. */

/** One proof as it stood in the buyer's token. */
export interface TokenProof {
  amountSat: number;
  /** Keyset id as spelled in the token: v1, v2, or a v2 id shortened by NUT-02. */
  keysetId: string;
  secret: string;
  C: string;
  /** NUT-12 proof of the mint's signature, when the token carries one. */
  dleq?: { e: string; s: string; r: string };
}

/** A buyer's token, decoded and bounded, before any mint was asked. */
export interface DecodedToken {
  /** The mint's URL, normalised: the mint's identity in the book. */
  mintKey: string;
  unit: string;
  faceSat: number;
  proofs: TokenProof[];
  /** NUT-00 Y = hash_to_curve(secret) of each proof, hex, in the order of `proofs`. */
  ys: string[];
}

/** One output of a swap: with the mint's signature on `B_` it becomes a proof. All hex but `amountSat`. */
export interface JournaledOutput {
  amountSat: number;
  keysetId: string;
  /** The mint's public key for this amount and keyset, so that nothing else is needed to unblind. */
  mintPubkey: string;
  secret: string;
  blindingFactor: string;
  B_: string;
}

/**
 * Everything needed to finish a swap after a crash, written before it is sent. Documented, own JSON:
 * another build, or another program, can finish it.
 */
export interface SwapJournal {
  version: 1;
  /** The configured URL of the mint. */
  mintUrl: string;
  /** The exact body of POST /v1/swap, inputs signed. Only these bytes are ever sent. */
  body: string;
  outputs: JournaledOutput[];
  /** Y of each input, in the order of the body. */
  inputYs: string[];
  /** The mint's input fee (NUT-02), in sat. */
  feeSat: number;
}

/** A proof that is the operator's, as it goes into book and wallet. */
export interface OwnedProof {
  y: string;
  mintUrl: string;
  keysetId: string;
  amountSat: number;
  secret: string;
  C: string;
  dleq?: { e: string; s: string; r: string };
}

export type SwapOutcome =
  /** Valid signatures on every output. */
  | { kind: "signed"; proofs: OwnedProof[] }
  /** The mint answered success, but wrongly; `proofs` are those that are good all the same. */
  | { kind: "flawed"; proofs: OwnedProof[]; detail: string }
  /** HTTP 400 with a NUT error `code` and `detail`, none of the kind "pending". */
  | { kind: "refused"; code: number }
  /** Anything else: silence, a proxy's answer, garbage. The request may have been carried out. */
  | { kind: "ambiguous"; why: string };

/** NUT-09: what the mint has signed of the outputs of one sale's attempts. */
export type RestoreOutcome =
  | { kind: "signed"; proofs: OwnedProof[] }
  | { kind: "flawed"; proofs: OwnedProof[]; detail: string }
  | { kind: "empty" }
  | { kind: "unknown"; why: string };

/** NUT-07, over all inputs of a sale; one SPENT input makes the whole swap impossible. */
export type InputState = "UNSPENT" | "PENDING" | "SPENT" | "unknown";

/** Reads tokens and checks their locks. Pure; throws `Refusal` `invalid-token` or `wrong-p2pk`. */
export interface TokenReader {
  /** Decodes cashuA and cashuB; bounds size and count; refuses doubled proofs. */
  decode(text: string): DecodedToken;
  /** Every proof locked to the operator in a way that only his key fulfils, now and for 10 minutes. */
  checkLocks(token: DecodedToken, now: number): void;
  /** What is handed to a buyer (NUT-00). */
  encode(mintUrl: string, proofs: readonly OwnedProof[]): string;
  /** NUT-18 payment request for one tier. */
  paymentRequest(amountSat: number): string;
}

/** An accepted mint, with what is known of it from its last answer. */
export interface Mint {
  readonly key: string;
  readonly url: string;
  /** Its keysets were fetched at most 60 s ago, and nothing says it must not be used. */
  reachable(): boolean;
  /**
   * Chooses outputs, checks keysets, fee bound and NUT-12, signs the inputs. Asks the mint only for an unknown keyset id.
   * Throws `Refusal`: `invalid-token`, `amount-mismatch` (fee), `mint-unreachable`.
   */
  prepareSwap(token: DecodedToken): Promise<SwapJournal>;
  /**
   * A swap whose outputs go out, to whoever has them or to the owner of a public key, instead of into the wallet: the fee
   * is his. Throws as `prepareSwap` does.
   */
  prepareRefund(token: DecodedToken, lockedTo: string | undefined): Promise<SwapJournal>;
  /** The same signed inputs with fresh outputs on today's keyset; `undefined` when the fee is not bearable any more or the mint is silent. */
  renewSwap(journal: SwapJournal): Promise<SwapJournal | undefined>;
  /** It answered wrongly: not reachable any more until the operator restarts the daemon. */
  shutOff(reason: string): void;
}

/** Talks to any mint that a journal names, also one that left the configuration. One call, one request, no retry. */
export interface MintLink {
  swap(journal: SwapJournal): Promise<SwapOutcome>;
  restore(journals: SwapJournal[]): Promise<RestoreOutcome>;
  inputState(mintUrl: string, ys: string[]): Promise<InputState>;
}
