import { createRefundDesk } from "../refunds/refund-desk.ts";
import { refundRequestSchema } from "../refunds/refund-messages.ts";
import { createRefundStore } from "../refunds/refund-store.ts";
import type { Context } from "./context.ts";
import type { OpenSales } from "./open-sales.ts";
import type { Records } from "./records.ts";

const SWEEP_MS = 1_000;

/** Refunds that were under way go on; new ones come over the control socket. */
export function takeUpRefunds(
  { config, clock, nowMs, logger, life }: Context,
  { book, sales, control }: Records,
  { mints }: OpenSales,
): void {
  const desk = createRefundDesk({
    store: createRefundStore(book),
    sales,
    reader: mints.reader,
    link: mints.link,
    findMint: mints.find,
    settleMs: (config.cashu?.settleSeconds ?? 60) * 1000,
    now: clock.now,
    nowMs,
    logger,
  });
  control.serve("refund", async (asked) => {
    const { token, lockedTo } = refundRequestSchema.parse(asked);
    return desk.refund(token, lockedTo);
  });
  life.job("refunds", SWEEP_MS, desk.sweep);
}
