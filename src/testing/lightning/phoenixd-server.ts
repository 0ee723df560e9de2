import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import type { NodeFault } from "./node-harness.ts";
import { createPhoenixdLedger, type PhoenixdRecord } from "./phoenixd-ledger.ts";
import { handlePhoenixdRequest, type PhoenixdDoor } from "./phoenixd-requests.ts";
import { eventJson, type PhoenixdRoute } from "./phoenixd-routes.ts";
import { createPhoenixdWebSockets } from "./phoenixd-websockets.ts";

export interface PhoenixdServerOptions {
  password: string;
  /** 0 or left out: a free one, kept for every later `up()`. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Milliseconds since the epoch. Default: the machine's clock. */
  now?: () => number;
  /** As of a proxy before it: `/wallet`. Default none. */
  basePath?: string;
  /** Default 10 s, as phoenixd has it. */
  pingEveryMs?: number;
}

export interface PhoenixdServer {
  /** The same through every `down` and `up`. */
  readonly url: string;
  /** Asked about every request that has the right password. */
  fault: ((route: PhoenixdRoute) => NodeFault | undefined) | undefined;
  /** While false no WebSocket is pinged. */
  pings: boolean;
  /** What its channel can receive. */
  inboundSat: number;
  /** How many WebSockets are open. */
  streamCount(): number;
  /** All that was made and received, oldest first. */
  invoices(): PhoenixdRecord[];
  /** Pays an invoice, also while it is down; throws when phoenixd would not take it. `feeMsat` of it does not arrive. */
  pay(paymentHash: string, amountMsat?: number, feeMsat?: number): void;
  /** A payment that no invoice asked for. Returns its hash. */
  receive(kind: "offer" | "on-chain", amountMsat: number): string;
  /** Tells of a payment once more. */
  repeatEvent(paymentHash: string): void;
  /** Sends this over every WebSocket. */
  say(message: string): void;
  breakStreams(): void;
  up(): Promise<void>;
  /** Drops all connections; what was made and paid is kept. */
  down(): Promise<void>;
  close(): Promise<void>;
}

/** phoenixd 0.8 as it is seen over HTTP and WebSocket: real invoices, records in memory, payments by hand. */
export async function startPhoenixdServer(options: PhoenixdServerOptions): Promise<PhoenixdServer> {
  const { password, host = "127.0.0.1", basePath = "", now = Date.now, pingEveryMs = 10_000 } = options;
  const privateKey = randomBytes(32);
  const ledger = createPhoenixdLedger(privateKey, now);
  const nodeId = Buffer.from(secp256k1.getPublicKey(privateKey)).toString("hex");
  const door: PhoenixdDoor = { password, basePath, faultOf: (route) => phoenixd.fault?.(route) };
  const sockets = createPhoenixdWebSockets(door);
  let port = options.port ?? 0;
  let listening: { server: Server; pinging: NodeJS.Timeout } | undefined;

  const tell = (record: PhoenixdRecord) => {
    if (record.kind !== "on-chain") sockets.say(eventJson(record, now()));
  };

  const phoenixd: PhoenixdServer = {
    get url() {
      return `http://${host}:${port}${basePath}`;
    },
    fault: undefined,
    pings: true,
    inboundSat: 1_000_000,
    streamCount: sockets.count,
    invoices: ledger.records,
    pay(paymentHash, amountMsat, feeMsat) {
      tell(ledger.pay(paymentHash, amountMsat, feeMsat));
    },
    receive(kind, amountMsat) {
      const record = ledger.receive(kind, amountMsat);
      tell(record);
      return record.paymentHash;
    },
    repeatEvent(paymentHash) {
      const record = ledger.get(paymentHash);
      if (record?.completedAt === undefined) throw new Error("there is no such payment");
      tell(record);
    },
    say: sockets.say,
    breakStreams: sockets.break,

    async up() {
      if (listening) return;
      const server = createServer((request, response) => {
        handlePhoenixdRequest(request, response, door, {
          ledger,
          nodeId,
          inboundSat: phoenixd.inboundSat,
          now,
        }).catch(() => request.socket.destroy());
      });
      server.on("upgrade", sockets.onUpgrade);
      server.listen(port, host);
      await once(server, "listening");
      port = (server.address() as AddressInfo).port;
      const pinging = setInterval(() => phoenixd.pings && sockets.ping(), pingEveryMs);
      listening = { server, pinging };
    },

    async down() {
      if (!listening) return;
      const { server, pinging } = listening;
      listening = undefined;
      clearInterval(pinging);
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      sockets.break();
      await closed;
    },

    close: () => phoenixd.down(),
  };

  await phoenixd.up();
  return phoenixd;
}
