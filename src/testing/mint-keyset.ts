import { createNewMintKeys, serializeMintKeys } from "@cashu/cashu-ts";

/** NUT-02: v1 ids are `00` and 14 hex digits, v2 ids `01` and 64, over keys, unit and fee. */
export type KeysetVersion = "v1" | "v2";

export interface KeysetTerms {
  version: KeysetVersion;
  unit: string;
  /** Input fee in thousandths of the unit per proof (NUT-02). */
  feePpk: number;
}

export interface MintKeyset extends KeysetTerms {
  readonly id: string;
  active: boolean;
  /** By amount, hex. */
  readonly publicKeys: Record<string, string>;
  readonly privateKeys: Record<string, Uint8Array>;
}

/** The amounts 1, 2, 4 … 2^31. */
const AMOUNTS = 32;

const VERSION_BYTES: Record<KeysetVersion, number> = { v1: 0, v2: 1 };

/** A fresh keyset, active, with random keys. */
export function createKeyset(terms: KeysetTerms): MintKeyset {
  const { keysetId, pubKeys, privKeys } = createNewMintKeys(AMOUNTS, undefined, {
    versionByte: VERSION_BYTES[terms.version],
    unit: terms.unit,
    input_fee_ppk: terms.feePpk,
  });
  return {
    ...terms,
    id: keysetId,
    active: true,
    publicKeys: serializeMintKeys(pubKeys),
    privateKeys: privKeys,
  };
}

/** NUT-02: the fees of all inputs are added up, then rounded up once. */
export function inputFee(feesPpk: readonly number[]): number {
  return Math.ceil(feesPpk.reduce((sum, feePpk) => sum + feePpk, 0) / 1000);
}
