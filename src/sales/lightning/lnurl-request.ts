import type { PayRequest } from "../../protocol/lnurl.ts";
import type { AesAction } from "../../protocol/success-action.ts";
import type { PurchaseAnswer } from "../purchase-request.ts";

/** One call of GET /lnurlp/callback, still unchecked and of any length; what HTTP gives to sales. */
export interface InvoiceRequest {
  /** `p`. */
  tier: string | undefined;
  /** In msat. */
  amount: string | undefined;
  comment: string | undefined;
  /** Keyed hash of the client's address, in memory only. */
  client: string;
  /**
   * Called once it is clear that the request is no renewal of a live key. Throws `Refusal` `rate-limited` when its
   * client address asks too often.
   */
  countStranger(): void;
}

/** LUD-06, LUD-09, LUD-21; names are the wire's own. */
export interface InvoiceAnswer {
  /** BOLT11. */
  pr: string;
  routes: [];
  successAction: AesAction;
  /** URL. */
  verify: string;
}

/** LUD-21. */
export interface VerifyAnswer {
  status: "OK";
  settled: boolean;
  /** 64 hex; null until settled. */
  preimage: string | null;
  pr: string;
}

/** What the routes below /lnurlp ask of sales. Each throws `Refusal` for what the buyer is to be told. */
export interface LnurlDesk {
  /** Throws `Refusal` `bad-price`, `no-sat-tier`. */
  payRequest(tier: string | undefined): PayRequest;
  invoice(request: InvoiceRequest): Promise<InvoiceAnswer>;
  /** `paymentHash` is 64 hex in lower case. Throws `Refusal` `not-found`. */
  verify(paymentHash: string): Promise<VerifyAnswer>;
  /** Both are 64 hex in lower case. Throws `Refusal` `not-found`, `payment-required`, or `bad-request` in authorization. */
  config(paymentHash: string, preimage: string): Promise<PurchaseAnswer>;
}
