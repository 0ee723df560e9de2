import type { Config } from "./config/types.ts";
import type { Listing } from "./protocol/listing.ts";
import { normaliseMintUrl } from "./protocol/mint-url.ts";
import type { PaymentMethod } from "./protocol/payment-method.ts";

/** What decides whether a sale could succeed now. */
export interface MarketView {
  /** Why no new session can be sold; undefined when one can. */
  closed: string | undefined;
  mintUsable: (mintKey: string) => boolean;
  /** The Lightning node could make an invoice and hear of its payment. */
  nodeUsable: boolean;
}

/**
 * The listing as it is true now: `sold` whenever a sale could not succeed, the tag of a dead method left out. When
 * the last method is down its tags stay and the listing is `sold`; with none configured there is nothing to publish.
 */
export function currentListing(config: Config, view: MarketView): Listing | undefined {
  const { advertisedMethods, listing } = config;
  if (advertisedMethods.length === 0) return undefined;
  const usable = advertisedMethods.filter((method) => isUsable(method, view));
  const { priceGraceSeconds, refreshMinutes, soldWhenUnreachable, ...published } = listing;
  return {
    ...published,
    paymentMethods: usable.length > 0 ? usable : advertisedMethods,
    status: view.closed === undefined && usable.length > 0 ? "active" : "sold",
  };
}

function isUsable(method: PaymentMethod, view: MarketView): boolean {
  if (method.type === "lightning") return view.nodeUsable;
  if (method.type !== "cashu") return true;
  const mintKey = normaliseMintUrl(method.mint);
  return mintKey !== undefined && view.mintUsable(mintKey);
}
