import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { NodeError, type Payment } from "../sales/lightning/ports.ts";
import { createScene, type Follower, untilTrue } from "../testing/lightning/node-scene.ts";
import { createPhoenixdHarness, type PhoenixdHarness } from "../testing/lightning/phoenixd-harness.ts";
import { startPhoenixdServer } from "../testing/lightning/phoenixd-server.ts";
import { createPhoenixd } from "./phoenixd.ts";

const hashOf = (number: number) => number.toString(16).padStart(64, "0");

describe("following phoenixd", () => {
  let harness: PhoenixdHarness;
  const scene = createScene(async () => {
    harness = await createPhoenixdHarness();
    return harness;
  });

  /** Follows from now on, and the stream is open. */
  async function listen(): Promise<Follower> {
    const follower = scene.follow(undefined);
    await untilTrue(() => harness.server.streamCount() === 1);
    return follower;
  }

  it("pages through what was missed, deposits on chain between it", async () => {
    const missed: string[] = [];
    const cursor = Date.now();
    for (let number = 0; number < 250; number++) {
      harness.pass(1);
      missed.push(harness.server.receive("offer", 1_000));
      if (number % 100 === 50) harness.server.receive("on-chain", 1_000_000);
    }
    const follower = scene.follow(cursor);
    await untilTrue(() => follower.reports.length >= missed.length);
    expect(follower.hashes()).toEqual(missed);
  });

  it("tells what comes while it pages", async () => {
    const cursor = Date.now();
    const missed = harness.server.receive("offer", 1_000);
    harness.pass(1);
    let late = "";
    let lists = 0;
    harness.server.fault = (route) => {
      // The page after the last: it is not in any of them.
      if (route === "list" && ++lists === 2) late = harness.server.receive("offer", 2_000);
      return undefined;
    };
    const follower = scene.follow(cursor);
    await untilTrue(() => follower.reports.length >= 2);
    expect(follower.hashes()).toEqual([missed, late]);
  });

  it("finds a payment of a time shortly before the cursor, and keeps the cursor", async () => {
    const hash = harness.server.receive("offer", 1_000);
    const cursor = Date.now() + 60_000;
    const follower = scene.follow(cursor);
    await untilTrue(() => follower.hashes().includes(hash));
    expect(follower.reports.map((report) => report.cursor)).toEqual([cursor]);
  });

  it("tells once more what comes before the cursor and was not taken", async () => {
    const hash = harness.server.receive("offer", 1_000);
    const cursor = Date.now() + 60_000;
    const refusing = scene.follow(cursor, () => {
      throw new Error("the book is shut");
    });
    await refusing.over();
    const again = scene.follow(cursor);
    await untilTrue(() => again.hashes().includes(hash));
  });

  it("does not wait for what comes when it was told to end before", async () => {
    await scene.node.follow(undefined, () => {}, AbortSignal.abort());
    await untilTrue(() => harness.server.streamCount() === 0);
  });

  it("tells no more of what was missed once it is told to end", async () => {
    const cursor = Date.now();
    harness.server.receive("offer", 1_000);
    harness.server.receive("offer", 1_000);
    const follower = scene.follow(cursor, () => void follower.stop());
    expect(await follower.over()).toBeUndefined();
    expect(follower.reports).toHaveLength(1);
  });

  it("tells what phoenixd kept of a payment, live and missed", async () => {
    const follower = await listen();
    const order = scene.order({ amountMsat: 5_000_000 });
    const { paymentHash } = await scene.node.makeInvoice(order);
    harness.server.pay(paymentHash, undefined, 1_234_000);
    await untilTrue(() => follower.reports.length > 0);
    const payment: Payment = {
      paymentHash,
      reference: order.reference,
      receivedMsat: 3_766_000,
      feeMsat: 1_234_000,
    };
    expect(follower.reports.map((report) => report.payment)).toEqual([payment]);
    const again = scene.follow(Date.now() - 60_000);
    await untilTrue(() => again.reports.length > 0);
    expect(again.reports.map((report) => report.payment)).toEqual([payment]);
  });

  it("tells payments to others too, and goes on", async () => {
    const follower = await listen();
    const offer = harness.server.receive("offer", 7_000);
    harness.server.receive("on-chain", 9_000_000);
    const foreign = await scene.makePaid({ reference: "of another program" });
    await untilTrue(() => follower.hashes().includes(foreign));
    expect(follower.reports.map(({ payment }) => payment)).toMatchObject([
      { paymentHash: offer, reference: undefined, receivedMsat: 7_000, feeMsat: 0 },
      { paymentHash: foreign, reference: "of another program" },
    ]);
  });

  it.each([
    ["is not for us", '{"type":"payment_sent","paymentHash":"x"}'],
    ["has no hash", '{"type":"payment_received","amountSat":1}'],
    ["has a hash of another form", '{"type":"payment_received","paymentHash":"../getinfo"}'],
    ["has a hash that phoenixd does not know", `{"type":"payment_received","paymentHash":"${hashOf(1)}"}`],
  ])("passes over an event that %s", async (_what, event) => {
    const follower = await listen();
    harness.server.say(event);
    const hash = await scene.makePaid();
    await untilTrue(() => follower.hashes().includes(hash));
    expect(follower.hashes()).toEqual([hash]);
  });

  it.each([
    ["no JSON", "<html>"],
    ["no object", "[1]"],
    ["no event", "{}"],
    ["too large", `{"type":"${"x".repeat(100_000)}"}`],
  ])("ends on a message that is %s", async (_what, message) => {
    const follower = await listen();
    harness.server.say(message);
    expect(scene.expectNodeError(await follower.over()).kind).toBe("silent");
  });

  it("ends when a payment cannot be looked up, and finds it when begun again", async () => {
    const cursor = Date.now();
    const { paymentHash } = await scene.make();
    const follower = await listen();
    harness.fault("look-up", "error-500");
    harness.server.pay(paymentHash);
    expect(scene.expectNodeError(await follower.over()).message).toContain("HTTP 500");
    expect(follower.reports).toEqual([]);
    const again = scene.follow(cursor);
    await untilTrue(() => again.hashes().includes(paymentHash));
  });

  it("ends when the answer about a payment says nothing of it", async () => {
    const follower = await listen();
    harness.fault("look-up", "garbage");
    harness.server.receive("offer", 1_000);
    scene.expectNodeError(await follower.over());
  });

  it("gives the stream up when more is told than is looked up, and ends at once when told to", async () => {
    const node = createPhoenixd({
      baseUrl: harness.server.url,
      password: harness.secret ?? "",
      timeoutMs: 120_000,
    });
    const stop = new AbortController();
    const over = node.follow(undefined, () => {}, stop.signal);
    await untilTrue(() => harness.server.streamCount() === 1);
    harness.fault("look-up", "stall");
    for (let number = 0; number < 10_002; number++) {
      harness.server.say(`{"type":"payment_received","paymentHash":"${hashOf(number)}"}`);
    }
    await untilTrue(() => harness.server.streamCount() === 0);
    stop.abort();
    await over;
  });

  it.each([
    ["unauthorised", "refused"],
    ["error-500", "silent"],
    ["stall", "silent"],
  ] as const)("says so when the stream does not open: %s", async (fault, kind) => {
    harness.fault("follow", fault);
    const follower = scene.follow(undefined);
    expect(scene.expectNodeError(await follower.over()).kind).toBe(kind);
    expect(harness.server.streamCount()).toBe(0);
  });

  it("leaves no stream behind when a report is not taken", async () => {
    const follower = scene.follow(undefined, () => {
      throw new Error("the book is shut");
    });
    await untilTrue(() => harness.server.streamCount() === 1);
    harness.server.receive("offer", 1_000);
    expect(await follower.over()).toMatchObject({ message: "the book is shut" });
    await untilTrue(() => harness.server.streamCount() === 0);
  });
});

describe("pings", () => {
  it("keep a stream open, and their absence ends it", async () => {
    const server = await startPhoenixdServer({ password: "secret", pingEveryMs: 100 });
    const silenceMs = 3_000;
    const node = createPhoenixd({ baseUrl: server.url, password: "secret", silenceMs });
    const stop = new AbortController();
    let isOver = false;
    const thrown = node
      .follow(undefined, () => {}, stop.signal)
      .catch((error: unknown) => error)
      .finally(() => {
        isOver = true;
      });
    await untilTrue(() => server.streamCount() === 1);
    const openSince = Date.now();
    await untilTrue(() => isOver || Date.now() - openSince > 1.5 * silenceMs);
    expect(isOver).toBe(false);
    server.pings = false;
    expect(await thrown).toMatchObject({
      name: "NodeError",
      kind: "silent",
      message: "no ping from phoenixd within 3 s",
    });
    await server.close();
  });
});

describe("a list of payments", () => {
  let server: Server | undefined;
  let sockets: WebSocketServer | undefined;
  afterEach(() => {
    for (const socket of sockets?.clients ?? []) socket.terminate();
    server?.closeAllConnections();
    server?.close();
  });

  /** phoenixd with pages that it would not write. */
  async function nodeThatLists(pageAt: (offset: number) => unknown) {
    const started = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? "/", "http://phoenixd");
      response.end(JSON.stringify(pageAt(Number(searchParams.get("offset")))));
    });
    server = started;
    sockets = new WebSocketServer({ server: started });
    await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
    const { port } = started.address() as AddressInfo;
    return createPhoenixd({ baseUrl: `http://127.0.0.1:${port}`, password: "secret" });
  }

  const ours = {
    paymentHash: hashOf(1),
    preimage: hashOf(2),
    externalId: "ours",
    isPaid: true,
    isExpired: true,
    receivedSat: 1,
    fees: 0,
    completedAt: 5_000_000,
  };

  it("may have entries of others that are not understood", async () => {
    const page = [{ type: "incoming_payment", isPaid: true }, { paymentHash: null }, "x", null, ours];
    const node = await nodeThatLists((offset) => (offset === 0 ? page : []));
    const stop = new AbortController();
    const told: Payment[] = [];
    const report = (payment: Payment) => {
      told.push(payment);
      stop.abort();
    };
    await node.follow(5_000_000, report, stop.signal);
    expect(told).toMatchObject([{ paymentHash: hashOf(1), reference: "ours" }]);
  });

  it.each([
    ["a sum below zero", { ...ours, receivedSat: -1 }],
    ["a sum beyond all bitcoin", { ...ours, receivedSat: 10 ** 15 }],
    ["no hash", { ...ours, paymentHash: undefined }],
    ["no time", { ...ours, completedAt: undefined }],
  ])("is not passed over when one of ours has %s", async (_what, entry) => {
    const node = await nodeThatLists((offset) => (offset === 0 ? [entry] : []));
    const following = node.follow(1, () => {}, new AbortController().signal);
    await expect(following).rejects.toBeInstanceOf(NodeError);
  });

  it("has an end", async () => {
    const node = await nodeThatLists(() => [{}]);
    const following = node.follow(1, () => {}, new AbortController().signal);
    await expect(following).rejects.toThrow("more than 30000 missed payments");
  });
});
