import { geohashLadder } from "../protocol/geohash.ts";
import { type Price, type Quantity, quantitySize, samePrice } from "../protocol/price.ts";
import type { Findings } from "./findings.ts";
import type { ConfigFile } from "./schema.ts";
import type { ListingConfig } from "./types.ts";

export function resolveListing({ listing, wireguard }: ConfigFile, findings: Findings): ListingConfig {
  const prices = listing.prices.map(({ amount, currency, unit, rate_mbit: rateMbit }) => ({
    amount,
    currency: sat(currency),
    unit,
    rateMbit,
  }));
  checkPrices(prices, wireguard.rate_mbit, findings);
  checkBoundsFit(listing.min_purchase, listing.max_purchase, findings);
  return {
    dTag: listing.d_tag,
    title: listing.title,
    summary: listing.summary,
    content: listing.content,
    protocols: servedProtocols(listing.protocols, findings),
    policies: listing.policies,
    policyUrl: listing.policy_url,
    protocolConfigUrl: listing.protocol_config_url,
    image: listing.image,
    topics: listing.topics,
    region: resolveRegion(listing.region, findings),
    capacity: listing.capacity,
    minPurchase: listing.min_purchase,
    maxPurchase: listing.max_purchase,
    prices,
    priceGraceSeconds: listing.price_grace,
    refreshMinutes: listing.refresh_minutes,
    soldWhenUnreachable: listing.sold_when_unreachable,
  };
}

function sat(currency: string): string {
  return currency.toLowerCase() === "sat" ? "sat" : currency;
}

function checkPrices(
  prices: readonly Price[],
  defaultRateMbit: number | undefined,
  { problems, warnings }: Findings,
): void {
  const rateOf = ({ rateMbit }: Price) => rateMbit ?? defaultRateMbit;
  prices.forEach((price, index) => {
    const name = `listing.prices[${index}]`;
    const first = prices.findIndex(
      (other) =>
        other.unit === price.unit && other.currency === price.currency && rateOf(other) === rateOf(price),
    );
    const same = prices.findIndex((other) => samePrice(other, price));
    if (same < index) {
      problems.push(
        `${name}: is the same tier as listing.prices[${same}], by amount, currency and unit; leave one of them out`,
      );
    } else if (first < index) {
      warnings.push(
        `${name}: sells the ${price.unit} at another price than listing.prices[${first}]; buyers take the cheaper one`,
      );
    }
    if (price.currency === "sat" && !Number.isSafeInteger(price.amount)) {
      problems.push(
        `${name}.amount: cannot be ${price.amount}, since a sat has no parts; write a whole number`,
      );
    }
  });
  if (!prices.some(({ currency }) => currency === "sat")) {
    warnings.push("listing.prices: no tier is priced in sat, so nothing can be bought");
  }
}

/** Seconds against seconds, bytes against bytes; bounds of different classes have nothing to do with each other. */
function checkBoundsFit(min: Quantity | undefined, max: Quantity | undefined, { problems }: Findings): void {
  if (!min || !max) return;
  const least = quantitySize(min);
  const most = quantitySize(max);
  const bothTime = least.seconds > 0 && most.seconds > 0;
  const bothData = least.bytes > 0 && most.bytes > 0;
  if ((bothTime && least.seconds > most.seconds) || (bothData && least.bytes > most.bytes)) {
    problems.push("listing.min_purchase: is more than listing.max_purchase; write less than that");
  }
}

function servedProtocols(protocols: readonly string[], { problems, warnings }: Findings): string[] {
  const served = protocols.filter((protocol) => protocol === "wireguard");
  if (served.length === 0) {
    problems.push('listing.protocols: lacks the one this daemon serves; write ["wireguard"]');
  } else if (served.length < protocols.length) {
    warnings.push("listing.protocols: only wireguard is served, so the others are left out of the listing");
  }
  return [...new Set(served)];
}

function resolveRegion(
  region: ConfigFile["listing"]["region"],
  { warnings }: Findings,
): ListingConfig["region"] {
  if (!region || (region.country === "" && region.sub === undefined && region.geohash === undefined)) {
    return undefined;
  }
  if (region.geohash !== undefined && geohashLadder(region.geohash).length === 0) {
    warnings.push("listing.region.geohash: is no geohash, so the listing carries none");
  }
  return { country: region.country, sub: region.sub, geohash: region.geohash };
}
