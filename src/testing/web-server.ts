import { spawn } from "node:child_process";
import { once } from "node:events";
import { inNamespace } from "./namespace-tools.ts";

/** `/` tells who asks, `/bytes/N` is N bytes long. Ends with its stdin, so it does not outlive a crash. */
const SERVER = `
const http = require("node:http");
const [address] = process.argv.slice(1);
http.createServer((request, response) => {
  const size = /^\\/bytes\\/(\\d{1,8})$/.exec(request.url)?.[1];
  response.end(size ? "x".repeat(Number(size)) : "a page on the internet, asked for by " + request.socket.remoteAddress + "\\n");
}).listen(80, address, () => console.log("listening"));
process.stdin.resume().on("end", () => process.exit(0));
`;

export interface WebServer {
  stop(): Promise<void>;
}

/** An HTTP server on port 80 in a namespace, as a process of its own. */
export async function startWebServer(namespace: string, address: string): Promise<WebServer> {
  const [wrapper = "", ...args] = [...inNamespace(namespace), process.execPath, "-e", SERVER, address];
  const child = spawn(wrapper, args, { stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(child, "exit");
  const first = await Promise.race([once(child.stdout, "data"), ended.then(() => undefined)]);
  if (first === undefined) throw new Error("the web server in the namespace did not start");
  return {
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}
