import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { BuyerPlace, TunnelWorld } from "./namespaces.ts";

const WEB_ADDRESS = "203.0.113.10";
const STREAM_PORT = 700;

const USUAL_PACKETS = 5;

/** Sends packets, so many each ten milliseconds, to whoever greeted it last; each says its number and when it was sent. */
const SENDER = `
const dgram = require("node:dgram");
const socket = dgram.createSocket({ type: "udp4", sendBufferSize: 4194304 });
const [port, packets, target] = process.argv.slice(1);
let to = target && { address: target, port: 9 }, number = 0;
socket.on("message", (_text, from) => { to = target ? to : from; });
socket.bind(Number(port), () => console.log("ready"));
setInterval(() => {
  for (let i = 0; to && i < Number(packets); i++) {
    const packet = Buffer.alloc(1200);
    packet.writeDoubleBE(number++, 0);
    packet.writeDoubleBE(Date.now(), 8);
    socket.send(packet, to.port, to.address, () => {});
  }
}, 10);
process.stdin.resume().on("end", () => process.exit(0));
`;

/** Greets the sender, and again each 200 ms as an upload; says on each line of stdin what has come so far. */
const RECEIVER = `
const dgram = require("node:dgram");
const socket = dgram.createSocket({ type: "udp4", recvBufferSize: 4194304 });
const seen = { received: 0, first: -1, last: -1, lastSentAtMs: 0 };
socket.on("message", (packet) => {
  const number = packet.readDoubleBE(0);
  if (seen.received++ === 0) { seen.first = number; console.log("ready"); }
  if (number > seen.last) { seen.last = number; seen.lastSentAtMs = packet.readDoubleBE(8); }
});
const [address, port] = process.argv.slice(1);
const greet = () => socket.send("hello", Number(port), address, () => {});
socket.bind(0, () => { greet(); setInterval(greet, 200); });
process.stdin.on("data", () => console.log(JSON.stringify(seen))).on("end", () => process.exit(0));
`;

const seenSchema = z.object({
  received: z.number(),
  first: z.number(),
  last: z.number(),
  lastSentAtMs: z.number(),
});
type Seen = z.infer<typeof seenSchema>;

export interface PacketStream {
  /** What has come so far. `lastSentAtMs` is when the last packet that came through was sent, by the wall clock. */
  seen(): Promise<Seen>;
  stop(): void;
}

/**
 * A steady download (5 Mbit/s of UDP unless told) through a buyer's tunnel, whose packets say when they were sent.
 * Resolves with the first.
 */
export async function startPacketStream(
  world: TunnelWorld,
  buyer: BuyerPlace = "buyer1",
  packetsIn10Ms = USUAL_PACKETS,
): Promise<PacketStream> {
  const port = STREAM_PORT + Number(buyer.slice("buyer".length));
  const sender = start(world.commandPrefix("web"), SENDER, [port, packetsIn10Ms]);
  await nextLine(linesOf(sender));
  const receiver = start(world.commandPrefix(buyer), RECEIVER, [WEB_ADDRESS, port]);
  const heard = linesOf(receiver);
  await nextLine(heard);
  return {
    async seen() {
      const answer = nextLine(heard);
      receiver.stdin.write("\n");
      return seenSchema.parse(JSON.parse(await answer));
    },
    stop() {
      for (const child of [sender, receiver]) child.kill("SIGKILL");
    },
  };
}

/** The same the other way, to nobody who listens. */
export async function startUpload(
  world: TunnelWorld,
  buyer: BuyerPlace,
  packetsIn10Ms: number,
): Promise<{ stop(): void }> {
  const sender = start(world.commandPrefix(buyer), SENDER, [0, packetsIn10Ms, WEB_ADDRESS]);
  await nextLine(linesOf(sender));
  return { stop: () => void sender.kill("SIGKILL") };
}

function start(prefix: readonly string[], script: string, args: readonly (string | number)[]) {
  const [wrapper = "", ...argv] = [...prefix, process.execPath, "-e", script, ...args.map(String)];
  return spawn(wrapper, argv, { stdio: ["pipe", "pipe", "ignore"] }) satisfies ChildProcess;
}

function linesOf({ stdout }: ReturnType<typeof start>): AsyncIterator<string> {
  return createInterface({ input: stdout })[Symbol.asyncIterator]();
}

async function nextLine(lines: AsyncIterator<string>): Promise<string> {
  const { done, value } = await lines.next();
  if (done) throw new Error("a script in a namespace ended");
  return value;
}
