import { PaymentRequest } from "@cashu/cashu-ts";

/**
 * NUT-18 payment request (`creqA…`) with the fields of NUT-24: amount, unit, mints and the P2PK lock. It names no
 * transport: payment is made in the answering request.
 */
export function encodePaymentRequest(amountSat: number, mintUrls: string[], pubkeyHex: string): string {
  // Tags as an empty list: left out, the library writes CBOR's `undefined`, which strict readers choke on.
  const lock = { kind: "P2PK", data: pubkeyHex, tags: [] };
  const request = new PaymentRequest(
    undefined,
    undefined,
    amountSat,
    "sat",
    mintUrls,
    undefined,
    false,
    lock,
  );
  // NUT-18 asks for base64url, the library writes plain base64.
  return request.toEncodedCreqA().replaceAll("+", "-").replaceAll("/", "_");
}
