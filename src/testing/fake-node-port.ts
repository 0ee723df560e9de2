import { createHash, randomBytes } from "node:crypto";
import {
  type Cursor,
  type Invoice,
  type InvoiceOrder,
  type LightningNode,
  NodeError,
  type Payment,
} from "../sales/lightning/ports.ts";

/** How a node behaves, to be changed at any time. */
interface NodeHabits {
  /** Nothing is answered, and no stream opens. */
  silent: boolean;
  /** Streams open and tell nothing: neither what was missed nor what comes. */
  streamQuiet: boolean;
  /** As LND does: an unpaid invoice can be taken back. */
  cancels: boolean;
  /** As phoenixd does: the preimage of an order is not used. */
  choosesPreimage: boolean;
  /** Whole sats only, as phoenixd. */
  stepMsat: number;
  /** Why it cannot sell. */
  trouble: string | undefined;
}

interface MadeInvoice {
  order: InvoiceOrder;
  invoice: Invoice;
  isCancelled: boolean;
  payment: Payment | undefined;
}

/** What reaches the node and what it keeps of that; by default what was asked for, and nothing. */
type Sum = Partial<Pick<Payment, "receivedMsat" | "feeMsat">>;

interface Told {
  payment: Payment;
  cursor: Cursor;
}

type Stream = { report: (payment: Payment, cursor: Cursor) => void; end: (error?: unknown) => void };

export type FakeNode = ReturnType<typeof createFakeNode>;

/** A node by its port: it keeps what it made and was paid, and outlives the daemon. `now` is its own clock. */
export function createFakeNode(now: () => number) {
  const habits: NodeHabits = {
    silent: false,
    streamQuiet: false,
    cancels: true,
    choosesPreimage: false,
    stepMsat: 1,
    trouble: undefined,
  };
  const made = new Map<string, MadeInvoice & { expiresAt: number }>();
  const told: Told[] = [];
  const streams = new Set<Stream>();
  const calls = { makeInvoice: 0, lookUp: 0, cancel: 0, follow: 0 };
  const violations: string[] = [];
  let held: Promise<void> | undefined;

  function called(name: keyof typeof calls): void {
    calls[name]++;
    if (habits.silent) throw new NodeError("silent", "the node does not answer");
  }

  function mustFind(paymentHash: string): MadeInvoice & { expiresAt: number } {
    const found = made.get(paymentHash);
    if (!found) throw new Error("the node has no such invoice");
    return found;
  }

  function make(order: InvoiceOrder): Invoice {
    if (order.amountMsat % habits.stepMsat !== 0) violations.push("an amount that the node cannot ask for");
    const known = [...made.values()].find((other) => other.order.reference === order.reference);
    if (known) return known.invoice;
    const preimage = habits.choosesPreimage ? randomBytes(32).toString("hex") : order.preimage;
    const paymentHash = createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex");
    const invoice = { paymentHash, preimage, bolt11: `lnbcrt1${paymentHash}` };
    const expiresAt = now() + order.expirySeconds;
    made.set(paymentHash, { order, invoice, expiresAt, isCancelled: false, payment: undefined });
    return invoice;
  }

  /** To every stream at once; one whose report throws has ended. */
  function tell({ payment, cursor }: Told): void {
    if (habits.streamQuiet || habits.silent) return;
    for (const stream of streams) {
      try {
        stream.report(payment, cursor);
      } catch (error) {
        stream.end(error);
      }
    }
  }

  function settled(payment: Payment): void {
    const latest = { payment, cursor: (told.at(-1)?.cursor ?? 0) + 1 };
    told.push(latest);
    tell(latest);
  }

  const node: LightningNode = {
    kind: "fake",
    get stepMsat() {
      return habits.stepMsat;
    },
    async makeInvoice(order) {
      called("makeInvoice");
      await held;
      if (habits.silent) throw new NodeError("silent", "the node does not answer");
      return make(order);
    },
    async lookUp(paymentHash) {
      called("lookUp");
      const found = made.get(paymentHash);
      if (!found) return { kind: "missing" };
      if (found.payment) return { kind: "paid", payment: found.payment };
      return { kind: found.isCancelled || now() >= found.expiresAt ? "closed" : "open" };
    },
    async cancel(paymentHash) {
      called("cancel");
      const found = made.get(paymentHash);
      if (!habits.cancels || found?.payment) return false;
      if (found) found.isCancelled = true;
      return true;
    },
    async follow(cursor, report, signal) {
      called("follow");
      if (signal.aborted) return;
      await new Promise<void>((resolve, reject) => {
        const abort = () => stream.end();
        const stream: Stream = {
          report,
          end: (error) => {
            streams.delete(stream);
            signal.removeEventListener("abort", abort);
            if (error === undefined) resolve();
            else reject(error);
          },
        };
        signal.addEventListener("abort", abort);
        streams.add(stream);
        if (cursor === undefined || habits.streamQuiet) return;
        try {
          for (const missed of told) if (missed.cursor > cursor) report(missed.payment, missed.cursor);
        } catch (error) {
          stream.end(error);
        }
      });
    },
    async probe() {
      return habits.silent ? "the node does not answer" : habits.trouble;
    },
  };

  return {
    ...node,
    get stepMsat() {
      return habits.stepMsat;
    },
    habits,
    calls,
    /** What no caller should ask. */
    violations,
    /** Pays an open invoice. Throws when it is not open, unless the node takes a payment `late`. */
    settle(paymentHash: string, { receivedMsat, feeMsat = 0 }: Sum = {}, late = false): void {
      const found = mustFind(paymentHash);
      const { order, isCancelled, expiresAt } = found;
      if (found.payment) throw new Error("the invoice is paid");
      if (!late && (isCancelled || now() >= expiresAt)) throw new Error("the invoice is not open");
      const reference = habits.choosesPreimage ? order.reference : undefined;
      found.payment = { paymentHash, reference, receivedMsat: receivedMsat ?? order.amountMsat, feeMsat };
      settled(found.payment);
    },
    isOpen(paymentHash: string): boolean {
      const found = made.get(paymentHash);
      return found !== undefined && !found.payment && !found.isCancelled && now() < found.expiresAt;
    },
    isCancelled: (paymentHash: string): boolean => mustFind(paymentHash).isCancelled,
    /** A payment that no invoice of ours asked for. */
    settleForeign: (): void =>
      settled({
        paymentHash: randomBytes(32).toString("hex"),
        reference: "somebody else's",
        receivedMsat: 1_000,
        feeMsat: 0,
      }),
    /** Tells everything again, the latest first. */
    repeatBackwards(): void {
      for (const one of [...told].reverse()) tell(one);
    },
    breakStreams(): void {
      for (const stream of streams) stream.end();
    },
    /** It has lost every invoice, and what it was paid. */
    forget(): void {
      made.clear();
      told.length = 0;
    },
    /** No invoice is made until what this answers with is called. */
    holdInvoices(): () => void {
      let release = (): void => undefined;
      held = new Promise((resolve) => {
        release = () => {
          held = undefined;
          resolve();
        };
      });
      return release;
    },
    streamCount: () => streams.size,
    invoiceCount: () => made.size,
    latestCursor: () => told.at(-1)?.cursor,
    /** Every payment that reached it. */
    payments: (): Payment[] => told.map(({ payment }) => payment),
  };
}
