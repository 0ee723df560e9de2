import type { Logger } from "pino";
import { boundary } from "../../boundary.ts";
import { type FollowTimes, followNode } from "./follow-node.ts";
import type { InvoiceStore } from "./invoice-store.ts";
import { type Cursor, type LightningNode, NodeError, type Payment } from "./ports.ts";
import type { UnpaidInvoice } from "./unpaid-store.ts";

export type Payments = ReturnType<typeof createPayments>;

export interface PaymentTimes extends FollowTimes {
  /** Between two looks at an invoice that may be paid. */
  lookMs: number;
  /** How long beyond its end an unpaid invoice keeps its address. */
  graceSeconds: number;
}

export const defaultPaymentTimes: PaymentTimes = {
  lookMs: 10_000,
  graceSeconds: 120,
  streamPauseMs: 500,
  longestStreamPauseMs: 30_000,
};

/** At least. For a minute's life and longer, the default's pause is short enough. */
const LOOKS_IN_LIFE = 6;
/** Invoices asked about in one round, and at once. A thousand open ones are all looked at within `lookMs`. */
const LOOKS_IN_ROUND = 100;
const LOOKS_AT_ONCE = 4;
/** Buyers who poll make us ask the node for one invoice at most this often, and for so many at once. */
const BUYERS_LOOK_MS = 1_000;
const BUYERS_LOOKS_AT_ONCE = 8;
/** Lapsed invoices that a start asks about: nobody asked while Lightning was off. Older ones are the cursor's. */
const LAPSED_AT_START = 1_000;

/** An invoice of a short life is looked at several times in it, too. */
export function timesFor(config: { invoiceSeconds: number; invoiceGraceSeconds: number }): PaymentTimes {
  const lookMs = Math.min(defaultPaymentTimes.lookMs, (config.invoiceSeconds * 1000) / LOOKS_IN_LIFE);
  return { ...defaultPaymentTimes, lookMs, graceSeconds: config.invoiceGraceSeconds };
}

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

type Invoice = Pick<UnpaidInvoice, "saleId" | "paymentHash">;

/**
 * Hears of every payment: over the node's stream, which goes on from the cursor in the book, and by asking about
 * invoices one by one, in case a stream is silent. Whichever is first, the book takes it once.
 */
export function createPayments(parts: PaymentsParts) {
  const { store, node, nodeName, now, nowMs, times, onChange } = parts;
  const lookedAtMs = new Map<string, number>();
  let askedByBuyers = 0;
  let lapsedUnasked: UnpaidInvoice[] = [];

  function take(payment: Payment, cursor: Cursor | undefined): void {
    const taken = store.paid(nodeName, payment, cursor, now());
    if (taken.kind !== "applied") return;
    boundary("payment-written");
    void parts.advance(taken.saleId);
    onChange();
  }

  /** Asks the node about one invoice. False when it did not answer. */
  async function look({ saleId, paymentHash }: Invoice): Promise<boolean> {
    lookedAtMs.set(saleId, nowMs());
    const state = await answerOf(node.lookUp(paymentHash));
    if (state?.kind === "paid") take(state.payment, undefined);
    return state !== undefined;
  }

  /** An unpaid invoice gives its address back once the node says that it is not paid. False when it did not answer. */
  async function lapse(invoice: Invoice): Promise<boolean> {
    lookedAtMs.set(invoice.saleId, nowMs());
    const isCancelled = await answerOf(node.cancel(invoice.paymentHash));
    if (isCancelled === undefined || (!isCancelled && !(await look(invoice)))) return false;
    // Paid meanwhile: the verb changes nothing then.
    store.lapse(invoice.saleId, now());
    onChange();
    return true;
  }

  function isOver({ expiresAt }: UnpaidInvoice): boolean {
    return now() >= expiresAt + times.graceSeconds;
  }

  function sinceLookMs({ saleId }: Invoice): number {
    return nowMs() - (lookedAtMs.get(saleId) ?? Number.NEGATIVE_INFINITY);
  }

  function lapseUnmade(invoices: readonly UnpaidInvoice[]): void {
    for (const { saleId, state } of invoices) if (state === "invoicing") store.lapse(saleId, now());
  }

  function forgetLooks(payable: readonly UnpaidInvoice[]): void {
    const known = new Set(payable.map(({ saleId }) => saleId));
    for (const saleId of lookedAtMs.keys()) if (!known.has(saleId)) lookedAtMs.delete(saleId);
  }

  async function askAboutLapsed(most: number): Promise<void> {
    const unanswered = await inTurn(lapsedUnasked.slice(0, most), look);
    lapsedUnasked = [...lapsedUnasked.slice(most), ...unanswered];
  }

  return {
    /** What a former run left: invoices that nobody ever got lapse, the others are asked about. */
    async recover(): Promise<void> {
      lapseUnmade(store.payable());
      lapsedUnasked = store.lapsed(LAPSED_AT_START);
      await inTurn(store.payable(), look);
      await askAboutLapsed(LAPSED_AT_START);
    },
    /** Follows the node until `signal` aborts. Never rejects. */
    follow: (signal: AbortSignal): Promise<void> =>
      followNode({ ...parts, cursor: () => store.cursor(nodeName), report: take }, signal),
    /** Asks about the invoices that were not looked at for longest, and lapses those whose time is over. */
    async poll(): Promise<void> {
      const payable = store.payable();
      forgetLooks(payable);
      // The node's answer never came, or could not be written: nobody has the invoice.
      lapseUnmade(payable.filter(isOver));
      const due = payable
        .filter((invoice) => invoice.state === "invoiced" && sinceLookMs(invoice) >= times.lookMs)
        .sort((a, b) => sinceLookMs(b) - sinceLookMs(a));
      await inTurn(due.slice(0, LOOKS_IN_ROUND), (invoice) =>
        isOver(invoice) ? lapse(invoice) : look(invoice),
      );
      await askAboutLapsed(LOOKS_IN_ROUND);
      store.forget(now());
    },
    /** A buyer asks whether his invoice is paid. */
    async ask(invoice: Invoice): Promise<void> {
      if (sinceLookMs(invoice) < BUYERS_LOOK_MS || askedByBuyers >= BUYERS_LOOKS_AT_ONCE) return;
      askedByBuyers++;
      await look(invoice).finally(() => askedByBuyers--);
    },
  };
}

/** Undefined when the node did not answer. */
async function answerOf<T>(question: Promise<T>): Promise<T | undefined> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof NodeError) return undefined;
    throw error;
  }
}

/** A few steps at once. After one that the node did not answer the rest are left: resolves to what is to be asked again. */
async function inTurn<T>(items: readonly T[], step: (item: T) => Promise<boolean>): Promise<T[]> {
  const waiting = [...items];
  const unanswered: T[] = [];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      if (!(await step(item))) unanswered.push(item, ...waiting.splice(0));
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, worker));
  return unanswered;
}
