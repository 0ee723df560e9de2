import { createPhoenixd } from "../../lightning/phoenixd.ts";
import type { NodeCall, NodeFault, NodeHarness } from "./node-harness.ts";
import type { PhoenixdRoute } from "./phoenixd-routes.ts";
import { type PhoenixdServer, startPhoenixdServer } from "./phoenixd-server.ts";

export interface PhoenixdHarness extends NodeHarness {
  server: PhoenixdServer;
}

const PASSWORD = "a-password-that-no-log-may-show";

/** Short enough for a test of stalls, long enough for a busy machine. */
const TIMEOUT_MS = 3_000;

const CALLS: Partial<Record<PhoenixdRoute, NodeCall>> = {
  create: "make",
  "look-up": "look-up",
  websocket: "follow",
  info: "probe",
};

export async function createPhoenixdHarness(): Promise<PhoenixdHarness> {
  let passedMs = 0;
  const server = await startPhoenixdServer({ password: PASSWORD, now: () => Date.now() + passedMs });
  const faults: { call: NodeCall; fault: NodeFault }[] = [];
  let isMaking = false;

  /** A fault in making begins with the order itself, and goes on with the question what became of it. */
  server.fault = (route) => {
    if (route === "create") isMaking = true;
    const call = route === "find" && isMaking ? "make" : CALLS[route];
    const index = faults.findIndex((waiting) => waiting.call === call);
    return index < 0 ? undefined : faults.splice(index, 1)[0]?.fault;
  };

  return {
    server,
    node: createPhoenixd({ baseUrl: server.url, password: PASSWORD, timeoutMs: TIMEOUT_MS }),
    cannot: new Set(["cancel"]),
    secret: PASSWORD,
    async pay(paymentHash, amountMsat) {
      server.pay(paymentHash, amountMsat);
    },
    fault(call, fault, times = 1) {
      isMaking = false;
      for (let time = 0; time < times; time++) faults.push({ call, fault });
    },
    repeatEvent: server.repeatEvent,
    breakStreams: server.breakStreams,
    down: server.down,
    up: server.up,
    pass(seconds) {
      passedMs += seconds * 1000;
    },
    invoiceCount: () => server.invoices().length,
    close: server.close,
  };
}
