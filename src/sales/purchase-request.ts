/** One call of POST /purchase, still unchecked; what HTTP gives to sales. */
export interface PurchaseRequest {
  /** The `Authorization` header. */
  authorization: string | undefined;
  /** The token, from `X-Cashu` or the body. */
  token: string | undefined;
  protocol: unknown;
  clientPubkey: unknown;
  /**
   * Called once it is clear that the request is neither a known claim nor a renewal of a live key.
   * Throws `Refusal` `rate-limited` when its client address asks too often.
   */
  countStranger(): void;
}

export interface PurchaseAnswer {
  /** wg-quick text. */
  config: string;
  /** Unix seconds; null for a data tier without an end. */
  expiresAt: number | null;
}
