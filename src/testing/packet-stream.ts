import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { BuyerPlace, TunnelWorld } from "./namespaces.ts";

const WEB_ADDRESS = "203.0.113.10";

/** Sends packets of 1200 bytes, five each ten milliseconds, to whoever greeted it last; each says its number and when it was sent. */
const SENDER = `
const dgram = require("node:dgram");
const socket = dgram.createSocket("udp4");
let to, number = 0;
socket.on("message", (_text, from) => { to = from; });
socket.bind(7, process.argv[1], () => console.log("ready"));
setInterval(() => {
  for (let i = 0; to && i < 5; i++) {
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
const greet = () => socket.send("hello", 7, process.argv[1], () => {});
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

/** A steady download (5 Mbit/s of UDP) through a buyer's tunnel, whose packets say when they were sent. Resolves with the first. */
export async function startPacketStream(
  world: TunnelWorld,
  buyer: BuyerPlace = "buyer1",
): Promise<PacketStream> {
  const sender = start(world.commandPrefix("web"), SENDER);
  await nextLine(linesOf(sender));
  const receiver = start(world.commandPrefix(buyer), RECEIVER);
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

function start(prefix: readonly string[], script: string) {
  const [wrapper = "", ...argv] = [...prefix, process.execPath, "-e", script, WEB_ADDRESS];
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
