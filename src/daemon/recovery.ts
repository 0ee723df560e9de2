import type { Logger } from "pino";
import type { Sale } from "../sales/sale.ts";
import type { SaleStore } from "../sales/sale-store.ts";
import type { Settlement } from "../sales/settle.ts";

/**
 * Takes every sale that a former run left open one round further, and says what came of it. Mints that do not answer
 * within `withinMs` are left to the sweep that goes on behind: they do not hold up the start.
 */
export async function recoverSales(
  sales: SaleStore,
  settlement: Settlement,
  logger: Logger,
  withinMs: number,
): Promise<void> {
  const found = sales.openSales();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, withinMs);
  });
  await Promise.race([settlement.sweep(), late]);
  clearTimeout(timer);
  const now = found.map((sale) => sales.find(sale.saleId));
  const count = (states: Sale["state"][]) => now.filter((sale) => sale && states.includes(sale.state)).length;
  logger.info(
    {
      event: "recovered",
      found: found.length,
      granted: count(["granted"]),
      owed: count(["paid", "owed"]),
      released: count(["released"]),
      open: count(["swapping"]),
    },
    "sales that a former run left open",
  );
}
