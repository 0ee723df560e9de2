import type { DecodedToken } from "./ports.ts";

interface Opening {
  clientKey: string;
  saleId: Promise<string>;
}

/**
 * Purchases between their checks and the book. A token that is sent again meanwhile joins the first: it is prepared
 * and swapped once, and all who sent it get one answer.
 */
export function createOpenings() {
  const underWay = new Map<string, Opening>();

  return {
    find: (token: DecodedToken): Promise<string> | undefined => underWay.get(nameOf(token))?.saleId,
    /** `saleId` rejects when the purchase was refused after all. */
    add(token: DecodedToken, clientKey: string, saleId: Promise<string>): void {
      const name = nameOf(token);
      underWay.set(name, { clientKey, saleId });
      const done = () => void underWay.delete(name);
      saleId.then(done, done);
    },
    /** WireGuard keys other than this one that are about to buy. */
    otherKeys: (clientKey: string): string[] => {
      const keys = new Set([...underWay.values()].map((opening) => opening.clientKey));
      keys.delete(clientKey);
      return [...keys];
    },
  };
}

function nameOf({ mintKey, ys }: DecodedToken): string {
  return JSON.stringify([mintKey, ...[...ys].sort()]);
}
