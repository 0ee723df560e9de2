/** What sales need of a Lightning node. Fulfilled by `lightning/`. Hashes and preimages are 64 hex, amounts in msat. */

/** An invoice to be made. Everything in it is in the book before the node is asked. */
export interface InvoiceOrder {
  /** Ours: finds the invoice again where the node chooses the preimage (phoenixd's `externalId`). */
  reference: string;
  /** Ours; a node that chooses its own leaves it aside. */
  preimage: string;
  amountMsat: number;
  /** SHA-256 of the LNURL metadata (LUD-06). */
  descriptionHash: string;
  expirySeconds: number;
}

export interface Invoice {
  paymentHash: string;
  preimage: string;
  bolt11: string;
}

export interface Payment {
  paymentHash: string;
  /** Undefined where the node does not keep it. */
  reference: string | undefined;
  /** What reached the node. May be below what was invoiced, since the node kept a fee, or above, since it was overpaid. */
  receivedMsat: number;
  /** What the node kept of the payment (phoenixd: liquidity). */
  feeMsat: number;
}

export type InvoiceState =
  | { kind: "open" }
  | { kind: "paid"; payment: Payment }
  /** Expired or cancelled, and not paid. */
  | { kind: "closed" }
  /** The node answers, and has no such invoice. */
  | { kind: "missing" };

/** Where a node's settlements have been followed to: LND's settle index, phoenixd's time of receipt in ms. */
export type Cursor = number;

/**
 * A Lightning node. Every call is bounded in time; each throws `NodeError` when the node does not answer, or answers
 * what cannot be understood.
 */
export interface LightningNode {
  /** `phoenixd`, `lnd`, `stub`: the cursor belongs to it. */
  readonly kind: string;
  /** An invoice's amount must be a multiple of this. */
  readonly stepMsat: number;
  /** Makes an invoice, or finds the one made before for the same order: a lost answer costs nothing. */
  makeInvoice(order: InvoiceOrder): Promise<Invoice>;
  lookUp(paymentHash: string): Promise<InvoiceState>;
  /** True: it was not paid and never will be. False: this node cannot say so, or it is paid. */
  cancel(paymentHash: string): Promise<boolean>;
  /**
   * Reports every payment after `cursor` (undefined: from now on), first what was missed, then as they come; the same
   * one perhaps again. `report` may throw: that ends the following. Resolves when the connection ends or `signal` aborts.
   */
  follow(
    cursor: Cursor | undefined,
    report: (payment: Payment, cursor: Cursor) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** What is wrong with the node and how to mend it, in words without secrets; undefined when it can sell. */
  probe(): Promise<string | undefined>;
}

export class NodeError extends Error {
  constructor(
    /** `refused`: the node said no, and nothing was made. `silent`: nobody knows. */
    readonly kind: "refused" | "silent",
    /** In words, without secrets. */
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = "NodeError";
  }
}
