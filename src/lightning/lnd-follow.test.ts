import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Cursor, type LightningNode, NodeError, type Payment } from "../sales/lightning/ports.ts";
import { eventually } from "../testing/eventually.ts";
import { type LndServer, startLndServer } from "../testing/lightning/lnd-server.ts";
import { startScriptedLnd } from "../testing/lightning/scripted-lnd.ts";
import { createLnd } from "./lnd.ts";
import { splitLines } from "./lnd-stream.ts";

const PATIENCE_MS = 20_000;

let server: LndServer;
let node: LightningNode;
let stopping: AbortController;
let reports: { payment: Payment; cursor: Cursor }[];

beforeEach(async () => {
  server = await startLndServer();
  node = createLnd({ ...server, baseUrl: server.url });
  stopping = new AbortController();
  reports = [];
});
afterEach(async () => {
  stopping.abort();
  await server.close();
});

/** Returns once LND has the subscription. Its end is answered as what it was thrown, or undefined. */
async function follow(cursor?: Cursor): Promise<{ end: Promise<unknown> }> {
  const before = server.streamCount();
  const report = (payment: Payment, reached: Cursor) => void reports.push({ payment, cursor: reached });
  const end = node.follow(cursor, report, stopping.signal).catch((reason: unknown) => reason);
  await eventually(() => server.streamCount() > before, PATIENCE_MS);
  return { end };
}

const reported = (count: number) => eventually(() => reports.length >= count, PATIENCE_MS);
const hashes = () => reports.map(({ payment }) => payment.paymentHash);

/** An invoice of the operator's own, with a memo in characters of up to four bytes. */
function addPaid(receivedMsat = 1000): string {
  const paymentHash = server.addForeign("café ⚡ 🥩", 1000);
  server.pay(paymentHash, receivedMsat);
  return paymentHash;
}

describe("following LND", () => {
  it("reports what is settled with the real sum and the settle index, and not what is made or closed", async () => {
    await follow();
    server.addForeign("never paid", 1000);
    const closed = server.addForeign("cancelled", 1000);
    await node.cancel(closed);
    const paymentHash = addPaid(9_999);
    await reported(1);
    expect(reports).toEqual([
      { payment: { paymentHash, reference: undefined, receivedMsat: 9_999, feeMsat: 0 }, cursor: 1 },
    ]);
  });

  it("replays what came after the settle index, oldest first, also when LND was killed meanwhile", async () => {
    const [, second, third] = [addPaid(), addPaid(), addPaid()];
    await server.close();
    const missed = addPaid();
    await server.start();
    await follow(1);
    await reported(3);
    expect(hashes()).toEqual([second, third, missed]);
    expect(reports.map(({ cursor }) => cursor)).toEqual([2, 3, 4]);
  });

  it.each([undefined, 0])("replays nothing after %s", async (cursor) => {
    addPaid();
    await follow(cursor);
    const later = addPaid();
    await reported(1);
    expect(hashes()).toEqual([later]);
  });

  it("leaves the settle index out of the request without a cursor, and asks for none but it", async () => {
    const scripted = await startScriptedLnd((_, response) => {
      response.writeHead(200).end();
      return undefined;
    });
    const elsewhere = createLnd({ baseUrl: scripted.url, macaroonHex: server.macaroonHex });
    await elsewhere.follow(undefined, () => {}, stopping.signal);
    await elsewhere.follow(7, () => {}, stopping.signal);
    await scripted.close();
    expect(scripted.requests.map(({ path }) => path)).toEqual([
      "/v1/invoices/subscribe",
      "/v1/invoices/subscribe?settle_index=7",
    ]);
  });

  it("does not take the cursor back for events out of order or told twice", async () => {
    const [first, second] = [addPaid(), addPaid()];
    await follow(2);
    for (const hash of [second, first, second]) server.sendToStreams(server.eventLine(hash));
    const third = addPaid();
    server.sendToStreams(server.eventLine(first));
    await reported(5);
    expect(hashes()).toEqual([second, first, second, third, first]);
    expect(reports.map(({ cursor }) => cursor)).toEqual([2, 2, 2, 3, 3]);
  });

  it("reads events that come byte by byte, within a character too, and several in one piece", async () => {
    await follow();
    const [first, second] = [addPaid(), addPaid()];
    await reported(2);
    for (const byte of Buffer.from(server.eventLine(first))) server.sendToStreams(Buffer.of(byte));
    const [one, two] = [server.eventLine(first), server.eventLine(second)];
    server.sendToStreams(`${two}${one}${two}${one.slice(0, 100)}`);
    server.sendToStreams(one.slice(100));
    await reported(7);
    expect(hashes().slice(2)).toEqual([first, second, first, second, first]);
  });

  it.each(["end", "reset"] as const)("is over when LND's stream comes to its %s", async (how) => {
    const quiet = await follow();
    server.breakStreams(how);
    expect(await quiet.end).toBeUndefined();
    const busy = await follow();
    addPaid();
    await reported(1);
    server.breakStreams(how);
    expect(await busy.end).toBeUndefined();
  });

  it("is over when it is told to, and lets the connection go", async () => {
    const { end } = await follow();
    addPaid();
    await reported(1);
    stopping.abort();
    expect(await end).toBeUndefined();
    await eventually(() => server.streamCount() === 0, PATIENCE_MS);
  });

  it("reports nothing more once it is told to end, not of what has come already either", async () => {
    const [first, second] = [addPaid(), addPaid()];
    const hashes: string[] = [];
    const report = ({ paymentHash }: Payment) => {
      hashes.push(paymentHash);
      stopping.abort();
    };
    const end = node.follow(undefined, report, stopping.signal);
    await eventually(() => server.streamCount() === 1, PATIENCE_MS);
    server.sendToStreams(server.eventLine(first) + server.eventLine(second));
    await end;
    expect(hashes).toEqual([first]);
  });

  it("is over when it is told to while a refusal is on its way", async () => {
    const scripted = await startScriptedLnd((_, response) => {
      response.writeHead(500).write('{"error":');
      return undefined;
    });
    const elsewhere = createLnd({ baseUrl: scripted.url, macaroonHex: server.macaroonHex });
    const end = elsewhere.follow(undefined, () => {}, stopping.signal);
    await eventually(() => scripted.requests.length === 1, PATIENCE_MS);
    stopping.abort();
    await expect(end).resolves.toBeUndefined();
    await scripted.close();
  });

  it("fails when LND is not reached", async () => {
    await server.close();
    await expect(node.follow(undefined, () => {}, stopping.signal)).rejects.toMatchObject({
      kind: "silent",
      message: expect.stringContaining("not reached"),
    });
  });

  it("ends with what the report throws, and lets the connection go", async () => {
    const full = new Error("the disk is full");
    const end = node.follow(
      undefined,
      () => {
        throw full;
      },
      stopping.signal,
    );
    const outcome = end.catch((reason: unknown) => reason);
    await eventually(() => server.streamCount() === 1, PATIENCE_MS);
    addPaid();
    expect(await outcome).toBe(full);
    await eventually(() => server.streamCount() === 0, PATIENCE_MS);
  });

  it.each([
    ["LND's error", '{"error":{"code":2,"message":"permission denied","details":[]}}\n', /does not permit/],
    ["what is no JSON", "<html>\n", /not of the form LND answers in/],
    ["a settlement without an index", '{"result":{"state":"SETTLED"}}\n', /not of the form/],
    ["a line over 1 MiB", `${" ".repeat(1024 * 1024)}x`, /a line over 1 MiB/],
  ])("fails at %s", async (_, line, words) => {
    const { end } = await follow();
    addPaid();
    server.sendToStreams(line);
    const thrown = await end;
    if (!(thrown instanceof NodeError)) throw new Error("it did not fail as a node does", { cause: thrown });
    expect(thrown.message).toMatch(words);
    expect(reports).toHaveLength(1);
    await eventually(() => server.streamCount() === 0, PATIENCE_MS);
  });

  it("goes on without an event for longer than any call may take", async () => {
    node = createLnd({ ...server, baseUrl: server.url, timeoutMs: 1_500 });
    await follow();
    server.fault("look-up", "stall", 2);
    for (let call = 0; call < 2; call++) {
      await expect(node.lookUp("ab".repeat(32))).rejects.toMatchObject({ kind: "silent" });
    }
    const paymentHash = addPaid();
    await reported(1);
    expect(hashes()).toEqual([paymentHash]);
  });

  it("has the kernel ask whether LND is still there", async (test) => {
    const why = existsSync("/proc/net/tcp") ? undefined : "only Linux shows the timers of its sockets";
    if (why !== undefined && process.env.CI)
      throw new Error(`${why}: CI runs this test, it does not skip it`);
    test.skip(why !== undefined, why);
    await follow();
    await eventually(() => timersTowards(server.port).includes(KEEP_ALIVE_TIMER), PATIENCE_MS);
  });
});

/** The kind of timer that is armed: what a socket's line in /proc/net/tcp has after `tr`. */
const KEEP_ALIVE_TIMER = "02";

function timersTowards(port: number): string[] {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[2] === remote)
    .map((columns) => columns[5]?.slice(0, 2) ?? "");
}

describe("lines", () => {
  const text = fc.string({ unit: "grapheme" }).map((line) => line.replaceAll("\n", ""));

  it("are whole, however their bytes are cut", async () => {
    const cuts = fc.array(fc.nat(12), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(text), cuts, async (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        expect(await collect(splitLines(cut(bytes, sizes)))).toEqual(lines);
      }),
    );
  });

  it("that are not ended are none", async () => {
    expect(await collect(splitLines(cut(Buffer.from("one\ntwo"), [2])))).toEqual(["one"]);
  });

  it.each([
    ["in one piece", [100]],
    ["in many", [1]],
  ])("may be as long as the bound and no longer, %s", async (_, sizes) => {
    expect(await collect(splitLines(cut(Buffer.from("12345\n"), sizes), 5))).toEqual(["12345"]);
    const [first] = await collect(splitLines(cut(Buffer.from("123456\n"), sizes), 5));
    expect(first).toBeUndefined();
  });
});

/** Pieces of these sizes, over and over; an empty one now and then. */
async function* cut(bytes: Buffer, sizes: number[]): AsyncGenerator<Buffer> {
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[piece % sizes.length] || piece % 2;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
