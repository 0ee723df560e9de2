/** Reason codes of /purchase and /lnurlp (docs/spec.md, "Reason codes"). Buyers' clients match on them. */
export type PurchaseReason =
  | "bad-request"
  | "unsupported-protocol"
  | "no-client-pubkey"
  | "unknown-listing"
  | "no-listing"
  | "no-price"
  | "price-mismatch"
  | "below-min-purchase"
  | "above-max-purchase"
  | "version-mismatch"
  | "bad-price"
  | "no-protocol"
  | "no-sat-tier"
  | "bad-signature"
  | "wrong-kind"
  | "wrong-action"
  | "no-expiration"
  | "expired-auth"
  | "wrong-server"
  | "invalid-token"
  | "wrong-mint"
  | "wrong-p2pk"
  | "amount-mismatch"
  | "double-spent"
  | "payment-required"
  | "not-found"
  | "policy"
  | "rate-limited"
  | "lightning-not-configured"
  | "cashu-not-configured"
  | "no-cashu-in-listing"
  | "no-ip-available"
  | "mint-unreachable"
  | "tunnel-unavailable";

interface RefusalDetails {
  /** The header was at fault rather than the body: `bad-request` is then 401 instead of 400. */
  inAuthorization?: boolean;
  /** Seconds after which the same request may do better. */
  retryAfterSeconds?: number;
  /** NUT-18 payment request (`creqA…`) that would satisfy a `payment-required`. */
  paymentRequest?: string;
  cause?: unknown;
}

/** A purchase that did not come about, with the code for the client and a message for a person. */
export class Refusal extends Error {
  readonly inAuthorization: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly paymentRequest: string | undefined;

  constructor(
    readonly reason: PurchaseReason,
    message: string,
    details: RefusalDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.name = "Refusal";
    this.inAuthorization = details.inAuthorization ?? false;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.paymentRequest = details.paymentRequest;
  }
}
