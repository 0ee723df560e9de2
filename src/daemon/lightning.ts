import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { LightningConfig } from "../config/types.ts";
import type { Book } from "../db/open-book.ts";
import { chooseNode } from "../lightning/choose-node.ts";
import type { GrantStore } from "../sales/grant-store.ts";
import { createInvoiceStore } from "../sales/lightning/invoice-store.ts";
import { createNodeWatch } from "../sales/lightning/node-watch.ts";
import { createOldInvoicesStore } from "../sales/lightning/old-invoices-store.ts";
import { createPayments, defaultPaymentTimes, timesFor } from "../sales/lightning/payments.ts";
import { createUnaskedLapse } from "../sales/lightning/unasked.ts";
import type { ReservationStore } from "../sales/reservation-store.ts";
import type { Settlement } from "../sales/settle.ts";
import type { SessionStore } from "../tunnels/session-store.ts";

export type Lightning = ReturnType<typeof createLightning>;

interface LightningParts {
  config: LightningConfig;
  book: Book;
  sessions: SessionStore;
  sales: GrantStore;
  reservations: ReservationStore;
  settlement: Settlement;
  claimSecret: Buffer;
  now: () => number;
  nowMs: () => number;
  logger: Logger;
  onChange: () => void;
}

/** The node as configured, and everything that hears of its payments. */
export function createLightning(parts: LightningParts) {
  const { config, book, sessions, sales, reservations, settlement, now, nowMs, logger, onChange } = parts;
  const node = chooseNode(config, now);
  const watch = createNodeWatch(node, logger);
  const store = createInvoiceStore(book, sessions, sales, reservations);
  const payments = createPayments({
    store,
    node,
    nodeName: `${node.kind} ${config.baseUrl}`,
    advance: settlement.advance,
    now,
    nowMs,
    logger,
    times: timesFor(config),
    onChange,
  });
  const stopping = new AbortController();
  let following: Promise<void> = Promise.resolve();

  return {
    config,
    node,
    watch,
    store,
    payments,
    refresh: async (): Promise<void> => {
      if (await watch.refresh()) onChange();
    },
    /** What was paid, or given up, while no daemon ran. A silent node does not hold up the start for longer than `withinMs`. */
    async recover(withinMs: number): Promise<void> {
      const adopted = createOldInvoicesStore(book, parts.claimSecret).adopt(now());
      if (adopted > 0)
        logger.info({ event: "invoices-adopted", count: adopted }, "an older daemon's invoices");
      await Promise.race([payments.recover(), sleep(withinMs, undefined, { ref: false })]);
    },
    follow(): void {
      following = payments.follow(stopping.signal);
    },
    /** Hears of nothing more; waits for the stream to end, for at most `withinMs`. */
    async stop(withinMs: number): Promise<void> {
      stopping.abort();
      await Promise.race([following, sleep(withinMs, undefined, { ref: false })]);
    },
  };
}

/** What Lightning left in the book, for as long as it is switched off: a step to be repeated. */
export function endLightning({
  book,
  sessions,
  sales,
  reservations,
  now,
}: Pick<LightningParts, "book" | "sessions" | "sales" | "reservations" | "now">): () => void {
  const store = createInvoiceStore(book, sessions, sales, reservations);
  return createUnaskedLapse({ store, graceSeconds: defaultPaymentTimes.graceSeconds, now });
}
