/** Moments of a sale at which a crash is of interest, in the order in which a sale passes them. */
export const BOUNDARIES = [
  "within-open",
  "sale-opened",
  "swap-sending",
  "swap-answered",
  "attempt-prepared",
  "attempt-written",
  "paid-unwritten",
  "within-paid",
  "sale-paid",
  "session-attached",
  "peer-unadmitted",
  "peer-admitted",
  "within-granted",
  "sale-granted",
  "owed-written",
  "release-unwritten",
  "within-released",
  "release-written",
  "address-released",
  "key-unmoved",
  "key-moved",
  "invoice-opened",
  "invoice-unwritten",
  "invoice-written",
  "within-payment",
  "payment-written",
  "within-lapsed",
  "event-signed",
  "event-stored",
  "event-publishing",
  "event-answered",
  "event-acknowledged",
] as const;

/** Moments of a refund, which is the operator's own doing: buyers of `pnpm chaos` come to none of them. */
export const REFUND_BOUNDARIES = [
  "within-refund",
  "refund-opened",
  "refund-unwritten",
  "refund-written",
] as const;

export type BoundaryName = (typeof BOUNDARIES)[number] | (typeof REFUND_BOUNDARIES)[number];

/** Does nothing, and is not even called in what ships. The build for `pnpm chaos` has a process that may end here. */
export function boundary(_name: BoundaryName): void {}
