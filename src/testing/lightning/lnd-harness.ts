import { createLnd } from "../../lightning/lnd.ts";
import { startLndServer } from "./lnd-server.ts";
import type { NodeHarness } from "./node-harness.ts";

/** Long enough for a busy machine, short enough to wait for in a test that stalls. */
const TIMEOUT_MS = 3_000;

export async function createLndHarness(): Promise<NodeHarness> {
  let passedSeconds = 0;
  const server = await startLndServer({ now: () => Math.floor(Date.now() / 1000) + passedSeconds });
  const { url, macaroonHex, certificate } = server;
  return {
    node: createLnd({ baseUrl: url, macaroonHex, certificate, timeoutMs: TIMEOUT_MS }),
    secret: macaroonHex,
    async pay(paymentHash, amountMsat) {
      server.pay(paymentHash, amountMsat);
    },
    fault: server.fault,
    repeatEvent: (paymentHash) => server.sendToStreams(server.eventLine(paymentHash)),
    breakStreams: () => server.breakStreams("reset"),
    down: server.close,
    up: server.start,
    pass(seconds) {
      passedSeconds += seconds;
    },
    invoiceCount: () => server.invoices().length,
    close: server.close,
  };
}
