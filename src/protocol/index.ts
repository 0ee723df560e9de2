/** The market's wire rules as a library: no I/O, no clock, no randomness but a success action's IV. */
export * from "./endorsement.ts";
export * from "./event.ts";
export * from "./geohash.ts";
export * from "./listing.ts";
export * from "./lnurl.ts";
export * from "./marketplace.ts";
export * from "./mint-url.ts";
export * from "./payment-method.ts";
export * from "./price.ts";
export * from "./purchase-auth.ts";
export * from "./purchase-comment.ts";
export * from "./refusal.ts";
export * from "./report.ts";
export * from "./success-action.ts";
export * from "./wireguard-key.ts";
