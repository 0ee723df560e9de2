import type { TokenReader } from "../sales/ports.ts";
import { decodeToken } from "./decode-token.ts";
import { encodeToken } from "./encode-token.ts";
import { checkLocks } from "./lock-check.ts";
import { encodePaymentRequest } from "./payment-request.ts";

export interface TokenReaderSettings {
  /** The operator's P2PK key, 66 hex. */
  pubkeyHex: string;
  /** Accepted mints, as configured. */
  mintUrls: string[];
}

export function createTokenReader({ pubkeyHex, mintUrls }: TokenReaderSettings): TokenReader {
  return {
    decode: decodeToken,
    checkLocks: (token, now) =>
      checkLocks(
        token.proofs.map((proof) => proof.secret),
        pubkeyHex,
        now,
      ),
    encode: encodeToken,
    paymentRequest: (amountSat) => encodePaymentRequest(amountSat, mintUrls, pubkeyHex),
  };
}
