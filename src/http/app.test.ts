import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PurchaseReason, Refusal } from "../protocol/refusal.ts";
import type { PurchaseRequest } from "../sales/purchase-request.ts";
import { buildApp, type HttpDeps } from "./app.ts";
import { CORS_HEADERS } from "./cors.ts";
import type { InternalErrorReport } from "./errors.ts";
import type { HealthReport } from "./health.ts";
import type { InfoDocument } from "./info-document.ts";

const INFO: InfoDocument = {
  software: "europa-node",
  version: "1.2.3",
  spec_version: "vpn-marketplace/1",
  pubkey: "ab".repeat(32),
  endpoint: "vpn.example.com",
  title: "A tunnel",
  content: "",
  protocols: ["wireguard"],
  prices: [{ amount: 100, currency: "sat", unit: "hour" }],
  policies: [],
  payment_methods: ["cashu"],
  mints: ["https://mint.example.com"],
  cashu_purchase_endpoints: ["https://vpn.example.com/purchase"],
  lightning_endpoints: [],
};

const HEALTHY: HealthReport = {
  ok: true,
  service: "europa-node",
  pubkey: "abababababab",
  listing: "vpn-1",
  database: "ok",
  wireguard: "ok",
  wallet: "ok",
  lightning: "off",
  relays: { connected: 2, total: 3 },
};

const SECRET = "cashuBtellnobody";

let app: FastifyInstance;
let health: HealthReport;
let nowMs: number;
let asked: PurchaseRequest[];
let reports: InternalErrorReport[];
let purchase: HttpDeps["purchase"];

beforeEach(() => {
  health = HEALTHY;
  nowMs = 0;
  asked = [];
  reports = [];
  purchase = async () => ({ config: "[Interface]\n", expiresAt: 1_900_000_000 });
  app = buildApp({
    info: INFO,
    health: () => health,
    purchase: async (request) => {
      asked.push(request);
      return purchase(request);
    },
    lnurl: undefined,
    viewer: undefined,
    trustedProxies: ["127.0.0.0/8"],
    monotonicMs: () => nowMs,
    logger: { error: (report) => reports.push(report) },
  });
});

afterEach(() => app.close());

function post(payload: unknown, headers: Record<string, string> = {}) {
  return app.inject({
    method: "POST",
    url: "/purchase",
    headers: { "content-type": "application/json", ...headers },
    payload: typeof payload === "string" ? payload : JSON.stringify(payload),
  });
}

describe("GET", () => {
  it("/info gives the document", async () => {
    const answer = await app.inject("/info");
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(answer.json()).toEqual(INFO);
  });

  it("/health is 200 or 503, and /health/live 200 all the same", async () => {
    expect((await app.inject("/health")).json()).toEqual(HEALTHY);
    health = { ...HEALTHY, ok: false, reason: "no-interface", wireguard: "no-interface" };
    const sick = await app.inject("/health");
    expect(sick.statusCode).toBe(503);
    expect(sick.json()).toEqual(health);
    expect((await app.inject("/health/live")).statusCode).toBe(200);
  });

  it.each(["/lnurlp", "/lnurlp?p=day", "/lnurlp/callback?amount=1000&comment=x", "/lnurlp/verify/00"])(
    "%s says in LUD-06's spelling that there is no Lightning",
    async (url) => {
      const answer = await app.inject(url);
      expect(answer.statusCode).toBe(503);
      expect(answer.headers["retry-after"]).toBe("3600");
      expect(answer.json()).toEqual({
        status: "ERROR",
        reason: "lightning-not-configured",
        message: expect.stringContaining("ecash"),
      });
    },
  );

  it("has HEAD beside it, without a body", async () => {
    for (const url of ["/info", "/health", "/health/live"]) {
      const answer = await app.inject({ method: "HEAD", url });
      expect(answer.statusCode).toBe(200);
      expect(answer.body).toBe("");
    }
  });
});

describe("POST /purchase", () => {
  it("hands over what came and answers with config and end", async () => {
    const answer = await post(
      { protocol: "wireguard", client_pubkey: "key", more: 1 },
      { authorization: "Nostr e30=", "x-cashu": " cashuAabc " },
    );
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: "ok", config: "[Interface]\n", expires_at: 1_900_000_000 });
    expect(asked).toEqual([
      {
        authorization: "Nostr e30=",
        token: "cashuAabc",
        protocol: "wireguard",
        clientPubkey: "key",
        countStranger: expect.any(Function),
      },
    ]);
  });

  it("takes the token from the body as well, and from both when they agree", async () => {
    await post({ token: "cashuAabc" });
    await post({ token: "cashuAabc" }, { "x-cashu": "cashuAabc" });
    await post({ token: "" });
    expect(asked.map(({ token }) => token)).toEqual(["cashuAabc", "cashuAabc", undefined]);
    const both = await post({ token: "cashuAabc" }, { "x-cashu": "cashuAdef" });
    expect(both.statusCode).toBe(400);
    expect(both.json().reason).toBe("bad-request");
    expect(asked).toHaveLength(3);
  });

  it("leaves missing and odd fields to the sale, which has reason codes for them", async () => {
    await post({ protocol: 7 });
    await app.inject({ method: "POST", url: "/purchase" });
    expect(asked.map(({ protocol, clientPubkey }) => [protocol, clientPubkey])).toEqual([
      [7, undefined],
      [undefined, undefined],
    ]);
  });

  it("names the field that is wrong", async () => {
    expect((await post({ token: 7 })).json()).toMatchObject({
      reason: "bad-request",
      message: expect.stringMatching(/^token must be a string/),
    });
    expect((await post([])).json().message).toMatch(/must be a JSON object/);
  });
});

describe("a refusal", () => {
  const statuses: [PurchaseReason, number][] = [
    ["bad-request", 400],
    ["price-mismatch", 400],
    ["no-sat-tier", 400],
    ["bad-signature", 401],
    ["double-spent", 402],
    ["not-found", 404],
    ["policy", 409],
    ["rate-limited", 429],
    ["mint-unreachable", 503],
    ["tunnel-unavailable", 503],
  ];

  it.each(statuses)("%s is answered with %i", async (reason, status) => {
    purchase = async () => {
      throw new Refusal(reason, "In words.");
    };
    const answer = await post({});
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ status: "error", reason, message: "In words." });
    expect(answer.headers["retry-after"]).toBe(status === 429 || status === 503 ? "30" : undefined);
    expect(reports).toEqual([]);
  });

  it("of the header is 401", async () => {
    purchase = async () => {
      throw new Refusal("bad-request", "No header.", { inAuthorization: true });
    };
    expect((await post({})).statusCode).toBe(401);
  });

  it("carries when to come back, and what would pay", async () => {
    purchase = async () => {
      throw new Refusal("mint-unreachable", "Later.", { retryAfterSeconds: 7 });
    };
    expect((await post({})).headers["retry-after"]).toBe("7");
    purchase = async () => {
      throw new Refusal("payment-required", "Pay.", { paymentRequest: "creqAabc" });
    };
    const unpaid = await post({});
    expect(unpaid.statusCode).toBe(402);
    expect(unpaid.headers["x-cashu"]).toBe("creqAabc");
  });
});

describe("what goes wrong", () => {
  it("inside is answered without anything internal, and reported without the message", async () => {
    purchase = async () => {
      throw Object.assign(new TypeError(`cannot read ${SECRET}`), { code: "ERR_X", statusCode: 402 });
    };
    const answer = await post({ token: SECRET });
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toEqual({
      status: "error",
      reason: "internal",
      message: expect.stringContaining("Repeat it"),
    });
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({
      event: "request-failed",
      method: "POST",
      route: "/purchase",
      error: { name: "TypeError", code: "ERR_X" },
    });
    expect(reports[0]?.error.stack.length).toBeGreaterThan(0);
    expect(JSON.stringify(reports)).not.toContain(SECRET);
    expect(answer.body).not.toContain(SECRET);
  });

  it("is reported for thrown values that are no errors", async () => {
    purchase = () => Promise.reject(SECRET);
    expect((await post({})).statusCode).toBe(500);
    expect(reports[0]?.error).toEqual({ name: "string", code: undefined, stack: [] });
  });

  it.each([
    ["malformed JSON", 400, () => post("{")],
    ["a poisoned prototype", 400, () => post('{"__proto__":{"token":"x"}}')],
    ["an empty JSON body", 400, () => post("")],
    ["a body over 64 KiB", 413, () => post({ token: "x".repeat(65_536) })],
    ["another media type", 415, () => post("a=b", { "content-type": "application/x-www-form-urlencoded" })],
    ["an undecodable URL", 400, () => app.inject("/%c3%28")],
  ])("with %s is a bad-request, %i", async (_name, status, ask) => {
    const answer = await ask();
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ status: "error", reason: "bad-request", message: expect.any(String) });
    expect(answer.headers).toMatchObject(CORS_HEADERS);
    expect(asked).toEqual([]);
    expect(reports).toEqual([]);
  });

  it("with the path is 404, with the method 405", async () => {
    const nowhere = await app.inject("/wp-login.php?x=1");
    expect(nowhere.statusCode).toBe(404);
    expect(nowhere.json()).toEqual({
      status: "error",
      reason: "not-found",
      message: "There is nothing here.",
    });
    const wrongMethod = await app.inject({ method: "DELETE", url: "/info?x=1" });
    expect(wrongMethod.statusCode).toBe(405);
    expect(wrongMethod.headers.allow).toBe("GET, HEAD, OPTIONS");
    expect(wrongMethod.json().reason).toBe("method-not-allowed");
    expect((await app.inject("/purchase")).headers.allow).toBe("POST, OPTIONS");
  });

  it("below /lnurlp says ERROR, and only there", async () => {
    expect((await app.inject({ method: "POST", url: "/lnurlp" })).json().status).toBe("ERROR");
    expect((await app.inject("/lnurlpx")).json().status).toBe("error");
  });
});

describe("CORS", () => {
  it("stands on every answer, with or without an Origin", async () => {
    purchase = async () => {
      throw new Error("boom");
    };
    const answers = [
      await app.inject("/info"),
      await app.inject({ url: "/info", headers: { origin: "https://client.example" } }),
      await app.inject({ method: "HEAD", url: "/info" }),
      await app.inject("/nowhere"),
      await app.inject("/lnurlp"),
      await post({}),
      await post("{"),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 404, 503, 500, 400]);
    for (const answer of answers) expect(answer.headers).toMatchObject(CORS_HEADERS);
  });

  it.each(["/purchase", "/info", "/nowhere"])("answers a preflight of %s", async (url) => {
    const answer = await app.inject({ method: "OPTIONS", url });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, POST, OPTIONS",
      "access-control-allow-headers": "Content-Type, Authorization, X-Cashu",
      "access-control-expose-headers": "X-Cashu, Retry-After",
      "access-control-max-age": "86400",
    });
  });
});

it("answers preflights whatever the client's limit, before anything is counted", async () => {
  const headers = { "x-forwarded-for": "192.0.2.9" };
  for (let count = 0; count < 600; count++) await app.inject({ url: "/info", headers });
  expect((await app.inject({ url: "/info", headers })).statusCode).toBe(429);
  expect((await app.inject({ method: "OPTIONS", url: "/purchase", headers })).statusCode).toBe(204);
});

describe("limits by client address", () => {
  const from = (address: string) => ({ "x-forwarded-for": address });

  it("let 30 strangers a minute buy from one address, and others go on", async () => {
    purchase = async (request) => {
      request.countStranger();
      return { config: "", expiresAt: null };
    };
    for (let count = 0; count < 30; count++) expect((await post({}, from("192.0.2.1"))).statusCode).toBe(200);
    const refused = await post({}, from("192.0.2.1"));
    expect(refused.statusCode).toBe(429);
    expect(refused.json().reason).toBe("rate-limited");
    expect(refused.headers["retry-after"]).toBe("2");
    expect(refused.body).not.toContain("192.0.2.1");
    expect((await post({}, from("192.0.2.2"))).statusCode).toBe(200);
    nowMs += 2000;
    expect((await post({}, from("192.0.2.1"))).statusCode).toBe(200);
  });

  it("spare purchases that do not count as a stranger's", async () => {
    for (let count = 0; count < 40; count++) await post({}, from("192.0.2.1"));
    expect(asked).toHaveLength(40);
  });

  it("stop 600 requests a minute before anything is done, liveness probes apart", async () => {
    for (let count = 0; count < 600; count++)
      await app.inject({ url: "/info", headers: from("2001:db8::1") });
    const refused = await post({}, from("2001:db8::2"));
    expect(refused.statusCode).toBe(429);
    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.headers).toMatchObject(CORS_HEADERS);
    expect(asked).toEqual([]);
    const live = await app.inject({ url: "/health/live", headers: from("2001:db8::1") });
    expect(live.statusCode).toBe(200);
    expect((await app.inject({ url: "/info", headers: from("2001:db8:0:1::1") })).statusCode).toBe(200);
  });
});
