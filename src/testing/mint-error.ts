/** NUT error codes (error_codes.md of the specification); `malformed` is this mint's own. */
export const MINT_ERROR_CODES = {
  malformed: 11000,
  "proof-invalid": 10001,
  "already-spent": 11001,
  pending: 11002,
  "outputs-already-signed": 11003,
  unbalanced: 11005,
  "duplicate-inputs": 11007,
  "duplicate-outputs": 11008,
  "multiple-units": 11009,
  "unit-mismatch": 11010,
  "unit-unsupported": 11013,
  "keyset-unknown": 12001,
  "keyset-inactive": 12002,
  "quote-unpaid": 20001,
  "quote-issued": 20002,
} as const;

export type MintErrorName = keyof typeof MINT_ERROR_CODES;

/** Answered as HTTP 400 `{detail, code}` (NUT-00). */
export class MintError extends Error {
  readonly code: number;

  constructor(
    readonly errorName: MintErrorName,
    detail: string,
  ) {
    super(detail);
    this.code = MINT_ERROR_CODES[errorName];
  }
}
