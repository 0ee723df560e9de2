/** Where an invoice's .conf is had by whoever has the preimage. `publicHost` is `host` or `host:port`. */
export function claimUrl(publicHost: string, paymentHash: string): string {
  return `https://${publicHost}/lnurlp/config/${paymentHash}`;
}

/** LUD-21. */
export function verifyUrl(publicHost: string, paymentHash: string): string {
  return `https://${publicHost}/lnurlp/verify/${paymentHash}`;
}
