import { Amount, getEncodedToken } from "@cashu/cashu-ts";
import type { OwnedProof } from "../sales/ports.ts";

/** cashuB (NUT-00 V4). No `dleq`: it would tell the receiver the blinding factors. */
export function encodeToken(mintUrl: string, proofs: readonly OwnedProof[]): string {
  return getEncodedToken({
    mint: mintUrl,
    unit: "sat",
    proofs: proofs.map(({ keysetId, amountSat, secret, C }) => ({
      id: keysetId,
      amount: Amount.from(amountSat),
      secret,
      C,
    })),
  });
}
