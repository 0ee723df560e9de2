import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { type RunningProcess, startScript } from "../connections.ts";

interface ForwardOptions {
  /** Of this host, as the namespace sees it. */
  from: string;
  /** On loopback here. */
  port: number;
  namespace: string;
  /** On loopback there. */
  portThere: number;
}

/** Passes on what connects to loopback there. Ends with its stdin. */
const FORWARDER = `
const net = require("node:net");
const [host, port, portThere] = process.argv.slice(1);
net.createServer((socket) => {
  const other = net.connect(Number(port), host);
  for (const end of [socket, other]) end.on("error", () => { socket.destroy(); other.destroy(); });
  socket.pipe(other).pipe(socket);
}).listen(Number(portThere), "127.0.0.1", () => console.log("listening"));
process.stdin.resume().on("end", () => process.exit(0));
`;

/** Lets what listens on loopback here be reached on loopback of a namespace. */
export async function forwardPort(options: ForwardOptions): Promise<RunningProcess> {
  const gate = createServer((socket) => {
    const other = connect(options.port, "127.0.0.1");
    for (const end of [socket, other]) {
      end.on("error", () => {
        socket.destroy();
        other.destroy();
      });
    }
    socket.pipe(other).pipe(socket);
  });
  gate.listen(0, options.from);
  await once(gate, "listening");
  const { port } = gate.address() as AddressInfo;
  const there = await startScript(options.namespace, FORWARDER, [
    ...[options.from, String(port), String(options.portThere)],
  ]);
  return {
    async stop() {
      await there.stop();
      gate.close();
    },
  };
}
