const MECHANISMS = ["bolt11", "lnurl-pay", "keysend"] as const;

export type LightningMechanism = (typeof MECHANISMS)[number];

export interface LightningMethod {
  type: "lightning";
  endpoint: string;
  mechanism: LightningMechanism;
}

export interface CashuMethod {
  type: "cashu";
  mint: string;
  /** The operator's key that proofs are locked to: 66 hex, `02` or `03` first. */
  p2pk: string;
  /** Where to send the token; the old form of the tag lacks it. */
  endpoint?: string | undefined;
}

/** A method that this version does not know, or cannot read: the whole tag as it came. */
export interface UnknownMethod {
  type: "unknown";
  tag: string[];
}

export type PaymentMethod = LightningMethod | CashuMethod | UnknownMethod;

export function paymentTag(method: PaymentMethod): string[] {
  switch (method.type) {
    case "lightning":
      return ["payment", "lightning", method.endpoint, method.mechanism];
    case "cashu":
      return ["payment", "cashu", method.mint, method.p2pk, ...(method.endpoint ? [method.endpoint] : [])];
    case "unknown":
      return [...method.tag];
  }
}

/** `undefined` only when the tag names no method at all. */
export function readPaymentTag(tag: readonly string[]): PaymentMethod | undefined {
  const [name, type, first, second, third] = tag;
  if (name !== "payment" || !type) return undefined;
  if (type === "lightning" && first && isMechanism(second)) {
    return { type, endpoint: first, mechanism: second };
  }
  if (type === "cashu" && first && second) {
    return { type, mint: first, p2pk: second, ...(third ? { endpoint: third } : {}) };
  }
  return { type: "unknown", tag: [...tag] };
}

function isMechanism(text: string | undefined): text is LightningMechanism {
  return MECHANISMS.some((mechanism) => mechanism === text);
}
