import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LightningSettings } from "../operator.ts";
import { startLndServer } from "./lnd-server.ts";
import type { NodeCall, NodeFault } from "./node-harness.ts";
import type { PhoenixdRoute } from "./phoenixd-routes.ts";
import { startPhoenixdServer } from "./phoenixd-server.ts";

export type NodeKind = "phoenixd" | "lnd";

/** An invoice in the node's own ledger. */
export interface NodeInvoice {
  paymentHash: string;
  preimage: string;
  isPaid: boolean;
  /** What its payer sent; 0 while it is not paid. */
  paidMsat: number;
  /** What of that the node kept. */
  feeMsat: number;
}

export interface PaymentTerms {
  /** Left out: what is asked for. */
  amountMsat?: number | undefined;
  /** What the node keeps of it. An LND keeps nothing. */
  feeMsat?: number | undefined;
}

/** A node as its owner has it, of either kind; it lives on when the operator's daemon dies. */
export interface OwnedNode {
  readonly kind: NodeKind;
  /** For the operator's config; a file that it needs is written into the folder. */
  settings(folder: string): LightningSettings;
  /** Asked about every request. */
  fault: ((call: NodeCall) => NodeFault | undefined) | undefined;
  /** Oldest first, those that were not made for the operator's daemon left out. */
  invoices(): NodeInvoice[];
  /** Throws when the node does not take it. */
  pay(paymentHash: string, terms?: PaymentTerms): void;
  /** A payment that has nothing to do with the operator's daemon. */
  receiveForeign(): void;
  /** Tells of a payment once more. */
  repeatEvent(paymentHash: string): void;
  streamCount(): number;
  breakStreams(): void;
  /** Its interface does not listen; what was made and paid is kept. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** `nowMs` is the node's clock: by default the machine's. */
export function startOwnedNode(kind: NodeKind, nowMs: () => number = Date.now): Promise<OwnedNode> {
  return kind === "phoenixd" ? startOwnedPhoenixd(nowMs) : startOwnedLnd(nowMs);
}

const PASSWORD = "a password";
const FOREIGN_MSAT = 7_000;

/** The list is how a stream that broke is caught up with; the list by reference belongs to the making of an invoice. */
const CALLS: Record<PhoenixdRoute, NodeCall> = {
  create: "make",
  find: "make",
  "look-up": "look-up",
  list: "follow",
  websocket: "follow",
  info: "probe",
};

async function startOwnedPhoenixd(now: () => number): Promise<OwnedNode> {
  const server = await startPhoenixdServer({ password: PASSWORD, now });
  const node: OwnedNode = {
    kind: "phoenixd",
    settings: () => ({ backend: "phoenixd", baseUrl: `${server.url}/`, apiToken: PASSWORD }),
    fault: undefined,
    invoices: () =>
      server
        .invoices()
        .filter(({ kind }) => kind === "invoice")
        .map(({ paymentHash, preimage, receivedMsat, feeMsat, completedAt }) => ({
          paymentHash,
          preimage,
          isPaid: completedAt !== undefined,
          paidMsat: receivedMsat + feeMsat,
          feeMsat,
        })),
    pay: (paymentHash, { amountMsat, feeMsat } = {}) => server.pay(paymentHash, amountMsat, feeMsat),
    receiveForeign: () => void server.receive("offer", FOREIGN_MSAT),
    repeatEvent: server.repeatEvent,
    streamCount: server.streamCount,
    breakStreams: server.breakStreams,
    down: server.down,
    up: server.up,
    close: server.close,
  };
  server.fault = (route) => node.fault?.(CALLS[route]);
  return node;
}

async function startOwnedLnd(nowMs: () => number): Promise<OwnedNode> {
  const foreign = new Set<string>();
  const server = await startLndServer({
    now: () => Math.floor(nowMs() / 1000),
    faultOf: (call) => node.fault?.(call),
  });
  const node: OwnedNode = {
    kind: "lnd",
    settings(folder) {
      const certFile = join(folder, "tls.cert");
      writeFileSync(certFile, server.certificate, { mode: 0o600 });
      return { backend: "lnd", baseUrl: server.url, apiToken: server.macaroonHex, certFile };
    },
    fault: undefined,
    invoices: () =>
      server
        .invoices()
        .filter(({ paymentHash }) => !foreign.has(paymentHash))
        .map(({ paymentHash, preimage, state, paidMsat }) => ({
          paymentHash,
          preimage,
          isPaid: state === "SETTLED",
          paidMsat,
          feeMsat: 0,
        })),
    pay: (paymentHash, { amountMsat } = {}) => server.pay(paymentHash, amountMsat),
    receiveForeign() {
      const paymentHash = server.addForeign("the operator's own", FOREIGN_MSAT);
      foreign.add(paymentHash);
      server.pay(paymentHash);
    },
    repeatEvent: (paymentHash) => server.sendToStreams(server.eventLine(paymentHash)),
    streamCount: server.streamCount,
    breakStreams: () => server.breakStreams("reset"),
    down: server.close,
    up: server.start,
    close: server.close,
  };
  return node;
}
