/** A proof as a wallet event carries it. */
export interface WalletProof {
  keysetId: string;
  amountSat: number;
  secret: string;
  C: string;
}

const MAX_PROOFS = 200;
/** NIP-44 ends at 65,535 bytes of plaintext, many relays at 100 KiB of event; the rest is mint and brackets. */
const MAX_PROOF_BYTES = 55_000;

/**
 * Splits one mint's proofs into what fits one kind 7375 each, in their order. A single proof that is too large
 * stands alone: signing it fails, and the others do not wait for it.
 */
export function inBatches<P extends WalletProof>(proofs: readonly P[]): P[][] {
  const batches: P[][] = [];
  let bytesLeft = 0;
  for (const proof of proofs) {
    const bytes = proofBytes(proof);
    const last = batches.at(-1);
    if (last === undefined || last.length === MAX_PROOFS || bytes > bytesLeft) {
      batches.push([proof]);
      bytesLeft = MAX_PROOF_BYTES - bytes;
    } else {
      last.push(proof);
      bytesLeft -= bytes;
    }
  }
  return batches;
}

function proofBytes({ keysetId, amountSat, secret, C }: WalletProof): number {
  return Buffer.byteLength(JSON.stringify({ id: keysetId, amount: amountSat, C, secret })) + 1;
}
