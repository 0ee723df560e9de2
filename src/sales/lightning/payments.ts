import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { boundary } from "../../boundary.ts";
import type { BookedInvoice, InvoiceStore } from "./invoice-store.ts";
import { type Cursor, type LightningNode, NodeError, type Payment } from "./ports.ts";

export type Payments = ReturnType<typeof createPayments>;

export interface PaymentTimes {
  /** Between two looks at an invoice that may be paid. */
  lookMs: number;
  /** How long beyond its end an unpaid invoice keeps its address. */
  graceSeconds: number;
  /** How long a lapsed invoice stays in the book. */
  keepLapsedSeconds: number;
  /** Between a broken stream and the next; doubled up to the longest. */
  streamPauseMs: number;
  longestStreamPauseMs: number;
}

export const defaultPaymentTimes: PaymentTimes = {
  lookMs: 10_000,
  graceSeconds: 120,
  keepLapsedSeconds: 7 * 86_400,
  streamPauseMs: 500,
  longestStreamPauseMs: 30_000,
};

/** A buyer who polls makes us ask the node for his invoice at most this often. */
const BUYERS_LOOK_MS = 1_000;
/** Invoices asked about in one round, and at once. */
const LOOKS_IN_ROUND = 20;
const LOOKS_AT_ONCE = 4;
/** Lapsed invoices that a start asks about; those before them are the cursor's. */
const LAPSED_AT_START = 200;
/** Beyond these, the oldest leave the book before their time. */
const MOST_LAPSED = 10_000;

interface PaymentsParts {
  store: InvoiceStore;
  node: LightningNode;
  /** Names the node in the book: its cursor is not another's. */
  nodeName: string;
  /** Puts up the tunnel of a sale that is paid. Never rejects. */
  advance: (saleId: string) => Promise<void>;
  now: () => number;
  nowMs: () => number;
  logger: Logger;
  times: PaymentTimes;
  onChange: () => void;
}

/**
 * Hears of every payment: over the node's stream, which goes on from the cursor in the book, and by asking about
 * invoices one by one, in case a stream is silent. Whichever is first, the book takes it once.
 */
export function createPayments(parts: PaymentsParts) {
  const { store, node, nodeName, now, nowMs, logger, times, onChange } = parts;
  const lookedAtMs = new Map<string, number>();
  let granting: Promise<unknown> = Promise.resolve();

  function take(payment: Payment, cursor: Cursor | undefined): void {
    const taken = store.paid(nodeName, payment, cursor, now());
    if (taken.kind !== "applied") return;
    boundary("payment-written");
    granting = Promise.all([granting, parts.advance(taken.saleId)]);
    onChange();
  }

  /** Asks the node about one invoice. False when it did not answer. */
  async function look({ sale, paymentHash }: BookedInvoice): Promise<boolean> {
    lookedAtMs.set(sale.saleId, nowMs());
    try {
      const state = await node.lookUp(paymentHash);
      if (state.kind === "paid") take(state.payment, undefined);
      return true;
    } catch (error) {
      if (error instanceof NodeError) return false;
      throw error;
    }
  }

  /** An unpaid invoice gives its address back once the node says that it is not paid. */
  async function lapse(invoice: BookedInvoice): Promise<void> {
    lookedAtMs.set(invoice.sale.saleId, nowMs());
    try {
      if (!(await node.cancel(invoice.paymentHash)) && !(await look(invoice))) return;
    } catch (error) {
      if (error instanceof NodeError) return;
      throw error;
    }
    // Paid meanwhile: the verb changes nothing then.
    store.lapse(invoice.sale.saleId, now());
    onChange();
  }

  function sinceLookMs({ sale }: BookedInvoice): number {
    return nowMs() - (lookedAtMs.get(sale.saleId) ?? Number.NEGATIVE_INFINITY);
  }

  async function inTurn(
    invoices: readonly BookedInvoice[],
    step: (invoice: BookedInvoice) => Promise<unknown>,
  ): Promise<void> {
    const waiting = [...invoices];
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await step(next);
    };
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, worker));
  }

  async function follow(signal: AbortSignal): Promise<void> {
    let pauseMs = times.streamPauseMs;
    while (!signal.aborted) {
      const startedMs = nowMs();
      try {
        await node.follow(store.cursor(nodeName), take, signal);
      } catch (error) {
        const what = error instanceof Error ? error.name : typeof error;
        if (!signal.aborted) logger.debug({ event: "node-stream-ended", error: what }, "followed anew soon");
      }
      pauseMs =
        nowMs() - startedMs > times.longestStreamPauseMs
          ? times.streamPauseMs
          : Math.min(pauseMs * 2, times.longestStreamPauseMs);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  function forgetLooks(payable: readonly BookedInvoice[]): void {
    const known = new Set(payable.map(({ sale }) => sale.saleId));
    for (const saleId of lookedAtMs.keys()) if (!known.has(saleId)) lookedAtMs.delete(saleId);
  }

  return {
    /** What a former run left: invoices that nobody ever got lapse, the others are asked about. */
    async recover(): Promise<void> {
      for (const { sale } of store.payable()) {
        if (sale.state === "invoicing") store.lapse(sale.saleId, now());
      }
      await inTurn([...store.payable(), ...store.lapsed(LAPSED_AT_START)], look);
      await granting;
    },
    /** Follows the node until `signal` aborts. Never rejects. */
    follow,
    /** Asks about the invoices that were not looked at for longest, and lapses those whose time is over. */
    async poll(): Promise<void> {
      store.forget(now() - times.keepLapsedSeconds, MOST_LAPSED);
      const payable = store.payable().filter(({ sale }) => sale.state === "invoiced");
      forgetLooks(payable);
      const due = payable.filter((invoice) => sinceLookMs(invoice) >= times.lookMs);
      due.sort((a, b) => sinceLookMs(b) - sinceLookMs(a));
      await inTurn(due.slice(0, LOOKS_IN_ROUND), (invoice) =>
        now() >= invoice.expiresAt + times.graceSeconds ? lapse(invoice) : look(invoice),
      );
    },
    /** A buyer asks whether his invoice is paid. */
    async ask(invoice: BookedInvoice): Promise<void> {
      if (sinceLookMs(invoice) >= BUYERS_LOOK_MS) await look(invoice);
    },
    /** Resolves once what was heard of so far has been granted, or has been found not to be grantable now. */
    idle: async (): Promise<void> => void (await granting),
  };
}
