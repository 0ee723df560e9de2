import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sampleConf, viewerServer } from "../../testing/viewer-conf.ts";
import { askForPresentConf, type Waiting } from "./present-conf.ts";

const preimage = "0123456789abcdef".repeat(4);
const paymentHash = createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex");
const conf = sampleConf();

type Reply = () => Response | Promise<Response>;

let replies: Reply[];
let asked: { path: string; headers: Record<string, string> }[];
let pauses: number[];
let told: Waiting[];

beforeEach(() => {
  replies = [];
  asked = [];
  pauses = [];
  told = [];
});
afterEach(() => vi.unstubAllGlobals());

/** Answers as listed, the last one again and again. Its clock goes on by the pauses alone. */
function ask(...list: Reply[]) {
  replies = list;
  let nowMs = 1_000;
  return askForPresentConf(preimage, {
    server: viewerServer,
    get: async (path, headers) => {
      asked.push({ path, headers });
      const reply = replies.length > 1 ? replies.shift() : replies[0];
      if (reply === undefined) throw new Error("nobody expected this request");
      return reply();
    },
    pause: async (ms) => {
      pauses.push(ms);
      nowMs += ms;
    },
    nowMs: () => nowMs,
    onWaiting: (why) => told.push(why),
  });
}

const json = (status: number, body: unknown, headers?: Record<string, string>) => () =>
  Response.json(body, { status, ...(headers === undefined ? {} : { headers }) });
const ok = json(200, { status: "ok", config: conf, expires_at: 1_900_000_000 });
const unpaid = json(402, { status: "ERROR", reason: "payment-required", message: "" });
const busy = (retryAfter?: string) =>
  json(503, { reason: "tunnel-unavailable" }, retryAfter === undefined ? {} : { "retry-after": retryAfter });
const silence = () => Promise.reject(new TypeError("Failed to fetch"));

describe("askForPresentConf", () => {
  it("asks for the hash of the preimage, and proves it with the preimage", async () => {
    expect(await ask(ok)).toEqual({ conf });
    expect(asked).toEqual([
      { path: `/lnurlp/config/${paymentHash}`, headers: { authorization: `Preimage ${preimage}` } },
    ]);
    expect([pauses, told]).toEqual([[], []]);
  });

  it("asks again while it is unpaid, busy, or silent", async () => {
    expect(
      await ask(unpaid, silence, busy(), () => new Response("bad gateway", { status: 502 }), ok),
    ).toEqual({
      conf,
    });
    expect(told).toEqual(["unpaid", "silent", "busy", "busy"]);
    expect(pauses).toEqual([3_000, 3_000, 3_000, 3_000]);
  });

  it.each([
    ["7", 7_000],
    ["1", 3_000],
    ["86400", 30_000],
    ["-5", 3_000],
    ["Wed, 21 Oct 2026 07:28:00 GMT", 3_000],
  ])("waits as long as Retry-After: %s says, within bounds", async (retryAfter, pauseMs) => {
    await ask(busy(retryAfter), ok);
    expect(pauses).toEqual([pauseMs]);
  });

  it.each([
    ["unpaid", unpaid],
    ["busy", busy("30")],
    ["silent", silence],
  ])("gives up after three minutes of %s", async (_name, reply) => {
    expect(await ask(reply)).toEqual({ failure: "too-late" });
    const waitedMs = pauses.reduce((sum, ms) => sum + ms, 0);
    expect(waitedMs).toBeLessThanOrEqual(180_000);
    expect(waitedMs).toBeGreaterThan(140_000);
    expect(asked).toHaveLength(pauses.length + 1);
  });

  it.each([
    ["the wrong preimage", json(401, { reason: "bad-request" }), "wrong-preimage"],
    ["an unknown payment", json(404, { reason: "not-found" }), "unknown-payment"],
    ["a tunnel that ended", json(402, { reason: "double-spent" }), "refused"],
    ["a fault", json(500, { reason: "internal" }), "refused"],
    ["no JSON", () => new Response(conf), "unfit"],
    ["JSON that is no object", json(200, null), "unfit"],
    ["no .conf", json(200, { status: "ok" }), "unfit"],
    ["a .conf that is no text", json(200, { config: [conf] }), "unfit"],
    ["a .conf with a hook", json(200, { config: `${conf}PostUp = id` }), "unfit"],
    [
      "another server's .conf",
      json(200, { config: conf.replace(viewerServer.endpoint, "evil.example.com:51820") }),
      "unfit",
    ],
    ["a huge answer", json(200, { config: conf, more: "x".repeat(20_000) }), "unfit"],
  ])("ends at %s", async (_name, reply, failure) => {
    expect(await ask(reply)).toEqual({ failure });
    expect(asked).toHaveLength(1);
  });

  it("ends a request that is not answered", async () => {
    vi.useFakeTimers();
    try {
      const signals: AbortSignal[] = [];
      const answer = askForPresentConf(preimage, {
        server: viewerServer,
        get: (_path, _headers, signal) =>
          new Promise((_resolve, reject) => {
            signals.push(signal);
            signal.addEventListener("abort", () => reject(signal.reason));
          }),
        pause: async () => {},
        nowMs: () => signals.length * 100_000,
        onWaiting: (why) => told.push(why),
      });
      await vi.waitFor(() => expect(signals).toHaveLength(1));
      // The server takes up to 20 s.
      await vi.advanceTimersByTimeAsync(20_000);
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      await vi.advanceTimersByTimeAsync(5_000);
      await vi.waitFor(() => expect(signals).toHaveLength(2));
      await vi.advanceTimersByTimeAsync(25_000);
      expect(await answer).toEqual({ failure: "too-late" });
      expect(told).toEqual(["silent"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("leaves no timer behind an answer", async () => {
    vi.useFakeTimers();
    try {
      expect(await ask(ok)).toEqual({ conf });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("asks nothing where the browser has no Web Crypto", async () => {
    vi.stubGlobal("crypto", {});
    expect(await ask(ok)).toEqual({ failure: "no-crypto" });
    expect(asked).toEqual([]);
  });
});
