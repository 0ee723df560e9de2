import { decodeToken } from "../../cashu/decode-token.ts";
import { checkLocks } from "../../cashu/lock-check.ts";
import type { CashuConfig, ListingConfig } from "../../config/types.ts";
import { satTiers } from "../../protocol/lnurl.ts";
import type { Price } from "../../protocol/price.ts";
import { Refusal } from "../../protocol/refusal.ts";
import type { DecodedToken } from "../../sales/ports.ts";

/** A token that the daemon would take, the tier that it buys, and where its fate can be asked. */
export interface UsableToken {
  text: string;
  decoded: DecodedToken;
  mintUrl: string;
  price: Price;
}

/** Everything that can be told without asking anybody: what is wrong in words for the operator, or the token. */
export function readToken(
  text: string,
  cashu: CashuConfig,
  { prices }: ListingConfig,
  now: number,
): UsableToken | { wrong: string } {
  let decoded: DecodedToken;
  try {
    decoded = decodeToken(text);
    checkLocks(
      decoded.proofs.map(({ secret }) => secret),
      cashu.p2pk,
      now,
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { wrong: error.message };
  }
  const mint = cashu.mints.find(({ key }) => key === decoded.mintKey);
  if (mint === undefined)
    return { wrong: `the token is of ${decoded.mintKey}, a mint that is not configured` };
  const [cheapest] = satTiers(prices)
    .map(({ price }) => price)
    .sort((one, other) => one.amount - other.amount);
  if (cheapest === undefined) return { wrong: "no tier is priced in sat, so nothing can be bought" };
  if (decoded.faceSat < cheapest.amount) {
    return { wrong: `the token is worth ${decoded.faceSat} sat, and the cheapest tier ${cheapest.amount}` };
  }
  return { text, decoded, mintUrl: mint.url, price: cheapest };
}
