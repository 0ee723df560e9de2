import { createStub } from "../../lightning/stub.ts";
import { type Cursor, type LightningNode, NodeError, type Payment } from "../../sales/lightning/ports.ts";
import type { NodeCall, NodeFault, NodeHarness } from "./node-harness.ts";

export interface StubHarnessOptions {
  /** Unix seconds, to which `pass` adds. */
  now?: () => number;
  settleAfterMs?: number;
}

type Report = Parameters<LightningNode["follow"]>[1];

interface Stream {
  tell: Report;
  end(): void;
}

/** The stub as if it were a node elsewhere: it can be down, and each call can meet a fault. */
export function createStubHarness({
  now = () => Math.floor(Date.now() / 1000),
  settleAfterMs,
}: StubHarnessOptions = {}): NodeHarness {
  let passedSeconds = 0;
  let isDown = false;
  const stub = createStub({ settleAfterMs, now: () => now() + passedSeconds });
  const faults: { call: NodeCall; fault: NodeFault }[] = [];
  const made = new Set<string>();
  const streams = new Set<Stream>();
  const told = new Map<string, { payment: Payment; cursor: Cursor }>();

  /** The fault that a request meets. Throws when the node is down. */
  function meet(call: NodeCall): NodeFault | undefined {
    if (isDown) throw new NodeError("silent", "the node cannot be reached");
    const index = faults.findIndex((waiting) => waiting.call === call);
    return index < 0 ? undefined : faults.splice(index, 1)[0]?.fault;
  }

  /** A stall is over at once: whoever calls a real node gives up after a while. */
  async function ask<T>(call: NodeCall, work: () => Promise<T>): Promise<T> {
    const fault = meet(call);
    if (fault === undefined) return work();
    if (fault === "drop-after") await work();
    throw failureOf(fault);
  }

  async function stream(cursor: Cursor | undefined, report: Report, signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    let reached = cursor ?? 0;
    const open: Stream = {
      tell(payment, at) {
        told.set(payment.paymentHash, { payment, cursor: at });
        reached = Math.max(reached, at);
        report(payment, reached);
      },
      end: () => ending.abort(),
    };
    streams.add(open);
    try {
      await stub.follow(cursor, open.tell, AbortSignal.any([signal, ending.signal]));
    } finally {
      streams.delete(open);
    }
  }

  function breakStreams(): void {
    for (const { end } of streams) end();
  }

  return {
    node: {
      kind: stub.kind,
      stepMsat: stub.stepMsat,
      makeInvoice: (order) =>
        ask("make", async () => {
          const invoice = await stub.makeInvoice(order);
          made.add(invoice.paymentHash);
          return invoice;
        }),
      lookUp: (paymentHash) => ask("look-up", () => stub.lookUp(paymentHash)),
      cancel: (paymentHash) => ask("cancel", () => stub.cancel(paymentHash)),
      async follow(cursor, report, signal) {
        const fault = meet("follow");
        if (fault !== undefined && fault !== "stall") throw failureOf(fault);
        await stream(cursor, fault === "stall" ? () => undefined : report, signal);
      },
      probe: () => ask("probe", () => stub.probe()).catch((error: NodeError) => error.message),
    },
    async pay(paymentHash, amountMsat) {
      stub.settle(paymentHash, amountMsat);
    },
    fault(call, fault, times = 1) {
      for (let time = 0; time < times; time++) faults.push({ call, fault });
    },
    repeatEvent(paymentHash) {
      const event = told.get(paymentHash);
      if (event === undefined) throw new Error("nobody was told of this payment yet");
      for (const { tell, end } of streams) {
        try {
          tell(event.payment, event.cursor);
        } catch {
          end();
        }
      }
    },
    breakStreams,
    async down() {
      isDown = true;
      breakStreams();
    },
    async up() {
      isDown = false;
    },
    pass(seconds) {
      passedSeconds += seconds;
    },
    invoiceCount: () => made.size,
    async close() {
      breakStreams();
    },
  };
}

function failureOf(fault: NodeFault): NodeError {
  return fault === "unauthorised"
    ? new NodeError("refused", "the node does not accept the password")
    : new NodeError("silent", "the node gave no answer that can be understood");
}
