import { spawn } from "node:child_process";
import { once } from "node:events";
import { z } from "zod";
import { exec, inNamespace } from "./namespace-tools.ts";

export interface Target {
  /** What a failing test calls it. */
  name: string;
  address: string;
  port: number;
}

export interface RunningProcess {
  stop(): Promise<void>;
}

/** Greets whoever connects, on every address of its namespace. Ends with its stdin, so it does not outlive a crash. */
const LISTENERS = `
const net = require("node:net");
const ports = process.argv.slice(1).map(Number);
let opened = 0;
for (const port of ports) {
  net.createServer((socket) => { socket.on("error", () => {}); socket.end("hello\\n"); })
    .listen(port, "::", () => { if (++opened === ports.length) console.log("listening"); });
}
process.stdin.resume().on("end", () => process.exit(0));
`;

/** TCP listeners in a namespace, IPv4 and IPv6, as a process of its own. */
export async function startListeners(namespace: string, ports: readonly number[]): Promise<RunningProcess> {
  return startScript(namespace, LISTENERS, ports.map(String));
}

/** Prints the indices of the targets that greeted before the time was over. */
const PROBE = `
const net = require("node:net");
const { targets, withinMs } = JSON.parse(process.argv[1]);
const reached = (target) => new Promise((resolve) => {
  const socket = net.connect(target.port, target.address);
  socket.setTimeout(withinMs, () => { socket.destroy(); resolve(false); });
  socket.on("error", () => resolve(false));
  socket.on("data", () => { socket.destroy(); resolve(true); });
});
Promise.all(targets.map(reached)).then((all) => console.log(JSON.stringify(all)));
`;

const answers = z.array(z.boolean());

/** The names of those targets that can be connected to from a namespace, in the order given. */
export async function reachable(
  namespace: string,
  targets: readonly Target[],
  withinMs = 3_000,
): Promise<string[]> {
  const question = JSON.stringify({ targets, withinMs });
  const reached = answers.parse(JSON.parse(await exec(namespace, [process.execPath, "-e", PROBE, question])));
  return targets.filter((_target, index) => reached[index]).map((target) => target.name);
}

/** A datagram to every target each two milliseconds, and a connection each fifty. */
const KNOCKING = `
const dgram = require("node:dgram");
const net = require("node:net");
const targets = JSON.parse(process.argv[1]);
const sockets = { 4: dgram.createSocket("udp4"), 6: dgram.createSocket("udp6") };
for (const socket of Object.values(sockets)) socket.on("error", () => {});
setInterval(() => {
  for (const { address, port } of targets) {
    sockets[net.isIPv6(address) ? 6 : 4].send("knock", port, address, () => {});
  }
}, 2);
setInterval(() => {
  for (const { address, port } of targets) {
    const socket = net.connect(port, address).on("error", () => {});
    setTimeout(() => socket.destroy(), 500);
  }
}, 50);
console.log("knocking");
process.stdin.resume().on("end", () => process.exit(0));
`;

/** Tries every target from a namespace, over and over, until it is stopped. */
export function startKnocking(namespace: string, targets: readonly Target[]): Promise<RunningProcess> {
  return startScript(namespace, KNOCKING, [JSON.stringify(targets)]);
}

/** Resolves once the script has said its first word. */
export async function startScript(
  namespace: string,
  script: string,
  args: readonly string[],
): Promise<RunningProcess> {
  const [wrapper = "", ...argv] = [...inNamespace(namespace), process.execPath, "-e", script, ...args];
  const child = spawn(wrapper, argv, { stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(child, "exit");
  const first = await Promise.race([once(child.stdout, "data"), ended.then(() => undefined)]);
  if (first === undefined) throw new Error("a script in a namespace did not start");
  return {
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}
