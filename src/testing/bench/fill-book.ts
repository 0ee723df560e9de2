import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { openBook } from "../../db/open-book.ts";
import type { Bought } from "../../protocol/price.ts";
import { createAddressPool } from "../../tunnels/address-pool.ts";
import { createSessionStore } from "../../tunnels/session-store.ts";
import { parseSubnet } from "../../tunnels/subnet.ts";
import { firstPurchase, newKey } from "../session-book.ts";

/** Room for more than ten thousand. */
export const WIDE_SUBNET = "10.64.0.0/17";

/** Longer than anything that is measured. */
export const aYear: Bought = { seconds: 365 * 86_400, bytes: 0 };

const HOLD_SECONDS = 300;

/** Sessions that were bought and are up, in a book that no daemon has open. */
export function fillBook(path: string, sessions: number, boughtOf: (index: number) => Bought): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const book = openBook(path);
  const store = createSessionStore(book, createAddressPool(book, parseSubnet(WIDE_SUBNET)), HOLD_SECONDS);
  const now = Math.floor(Date.now() / 1000);
  book.transaction(() => {
    for (let index = 0; index < sessions; index += 1) {
      const sessionId = store.reserve(newKey(), firstPurchase, now);
      if (sessionId === undefined) throw new Error("the pool is empty");
      store.grant(sessionId, boughtOf(index), now);
    }
  })();
  book.close();
}
