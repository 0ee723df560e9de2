import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";

const [TYPE_A, HEADER_BYTES, TTL_SECONDS] = [1, 12, 1];
const [NO_ERROR, NO_SUCH_NAME] = [0, 3];

/** DNS (RFC 1035) over UDP, for A records; all other types of a known name have no records. */
export interface NameServer {
  /** IPv4 addresses by name; a name that is not here does not exist. */
  records: Map<string, string[]>;
  /** While true, nothing is answered. */
  mute: boolean;
  stop(): Promise<void>;
}

/** On port 53 of an address of this host. */
export async function startNameServer(host: string): Promise<NameServer> {
  const socket = createSocket("udp4");
  const server: NameServer = {
    records: new Map(),
    mute: false,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  socket.on("message", (query, { address, port }) => {
    const question = readQuestion(query);
    if (question !== undefined && !server.mute)
      socket.send(answer(query, question, server.records), port, address);
  });
  socket.bind(53, host);
  await once(socket, "listening");
  return server;
}

interface Question {
  name: string;
  type: number;
  /** Where the question ends. */
  end: number;
}

function readQuestion(query: Buffer): Question | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]; length !== undefined && length > 0; length = query[at]) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  if (at + 5 > query.length) return undefined;
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query: Buffer, { name, type, end }: Question, records: NameServer["records"]): Buffer {
  const known = records.get(name);
  const addresses = type === TYPE_A ? (known ?? []) : [];
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  // A response, recursion wanted and had.
  header.writeUInt16BE(0x8180 | (known === undefined ? NO_SUCH_NAME : NO_ERROR), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  return Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...addresses.filter(isIPv4).map(record)]);
}

function record(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  // A pointer to the question's name.
  bytes.writeUInt16BE(0xc00c, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt32BE(TTL_SECONDS, 6);
  bytes.writeUInt16BE(4, 10);
  Buffer.from(address.split(".").map(Number)).copy(bytes, 12);
  return bytes;
}
