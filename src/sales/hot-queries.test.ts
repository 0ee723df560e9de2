import { join } from "node:path";
import { expect, it } from "vitest";
import { createDurability } from "../db/durability.ts";
import { openBook } from "../db/open-book.ts";
import { queryPlans } from "../testing/query-plans.ts";
import { makeTempDir } from "../testing/temp-dir.ts";
import { createAddressPool } from "../tunnels/address-pool.ts";
import { createSessionStore } from "../tunnels/session-store.ts";
import { parseSubnet } from "../tunnels/subnet.ts";
import { createInvoiceStore } from "./lightning/invoice-store.ts";
import { createReservationStore } from "./reservation-store.ts";
import { createSaleStore } from "./sale-store.ts";

it("no query of sales, repeated every second, reads what was sold over the years", async () => {
  const folder = await makeTempDir();
  const book = openBook(join(folder.path, "book.db"));
  try {
    const plans = queryPlans(book, (heard) => {
      const pool = createAddressPool(heard, parseSubnet("10.9.0.0/29"));
      const sessions = createSessionStore(heard, pool, 300);
      const reservations = createReservationStore(heard, sessions, pool.size);
      const sales = createSaleStore(heard, createDurability(book), sessions, reservations);
      createInvoiceStore(heard, sessions, sales, reservations);
    });
    expect(plans.filter(({ sql }) => /\bsales\b/.test(sql)).length).toBeGreaterThan(20);
    // A scan is of all that an index has, and an index may have little; without one it is of everything.
    const readsAll = (step: string) =>
      /^SCAN (sales|invoices)( USING (COVERING )?INDEX sales_by_session)?$/.test(step);
    expect(plans.filter(({ steps }) => steps.some(readsAll))).toEqual([]);
  } finally {
    book.close();
    await folder.remove();
  }
});
