import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PayRequest } from "../protocol/lnurl.ts";
import { Refusal } from "../protocol/refusal.ts";
import type {
  InvoiceAnswer,
  InvoiceRequest,
  LnurlDesk,
  VerifyAnswer,
} from "../sales/lightning/lnurl-request.ts";
import { buildApp } from "./app.ts";
import { CORS_HEADERS } from "./cors.ts";
import type { InternalErrorReport } from "./errors.ts";
import type { InfoDocument } from "./info-document.ts";

const HASH = "0a".repeat(32);
const PREIMAGE = "1b".repeat(32);

const PAY_REQUEST: PayRequest = {
  tag: "payRequest",
  callback: "https://vpn.example.com/lnurlp/callback?p=0",
  minSendable: 1000,
  maxSendable: 7000,
  commentAllowed: 1024,
  metadata: '[["text/plain","VPN access: 1 sat/day"]]',
};
const INVOICE: InvoiceAnswer = {
  pr: "lnbc1",
  routes: [],
  successAction: { tag: "aes", description: "d", ciphertext: "YQ==", iv: "Yg==", cipher: "aes-256-cbc" },
  verify: `https://vpn.example.com/lnurlp/verify/${HASH}`,
};
const UNSETTLED: VerifyAnswer = { status: "OK", settled: false, preimage: null, pr: "lnbc1" };

/** A desk that knows the calls given to it, and fails on any other. */
function deskOf(known: Partial<LnurlDesk>): LnurlDesk {
  const unexpected = (name: string) => () => {
    throw new Error(`${name} was not expected`);
  };
  return {
    payRequest: unexpected("payRequest"),
    invoice: unexpected("invoice"),
    verify: unexpected("verify"),
    config: unexpected("config"),
    ...known,
  };
}

let app: FastifyInstance;
let reports: InternalErrorReport[];

function open(known: Partial<LnurlDesk>): void {
  app = buildApp({
    info: {} as InfoDocument,
    health: () => {
      throw new Error("not asked here");
    },
    purchase: () => Promise.reject(new Error("not asked here")),
    lnurl: deskOf(known),
    viewer: undefined,
    trustedProxies: ["127.0.0.0/8"],
    monotonicMs: () => 0,
    logger: { error: (report) => reports.push(report) },
  });
}

beforeEach(() => {
  reports = [];
});
afterEach(async () => {
  await app.close();
  expect(reports).toEqual([]);
});

describe("GET /lnurlp", () => {
  it.each([
    ["/lnurlp", undefined],
    ["/lnurlp?p=day", "day"],
    ["/lnurlp?p=", ""],
    ["/lnurlp?p=%F0%9F", "%F0%9F"],
    ["/lnurlp?tag=payRequest&p=7", "7"],
  ])("%s hands over p", async (url, p) => {
    const asked: (string | undefined)[] = [];
    open({
      payRequest(tier) {
        asked.push(tier);
        return PAY_REQUEST;
      },
    });
    const answer = await app.inject(url);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({ ...CORS_HEADERS, "cache-control": "no-store" });
    expect(answer.json()).toEqual(PAY_REQUEST);
    expect(asked).toEqual([p]);
    expect((await app.inject({ method: "HEAD", url })).statusCode).toBe(200);
  });

  it.each(["bad-price", "no-sat-tier"] as const)("says %s as LUD-06 wants it", async (reason) => {
    open({
      payRequest() {
        throw new Refusal(reason, "In words.");
      },
    });
    const answer = await app.inject("/lnurlp?p=x");
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ status: "ERROR", reason, message: "In words." });
  });
});

describe("GET /lnurlp/callback", () => {
  const order = JSON.stringify({ version: "vpn-marketplace/1", client_pubkey: `${"+/".repeat(21)}A=` });

  it("hands over what came, unread", async () => {
    const asked: InvoiceRequest[] = [];
    open({
      async invoice(request) {
        asked.push(request);
        return INVOICE;
      },
    });
    const query = new URLSearchParams({ p: "1", amount: "1e3", comment: order });
    const answer = await app.inject(`/lnurlp/callback?${query}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({ ...CORS_HEADERS, "cache-control": "no-store" });
    expect(answer.json()).toEqual(INVOICE);
    await app.inject(`/lnurlp/callback?comment=${encodeURIComponent(order)}&nonce=1`);
    await app.inject(`/lnurlp/callback?comment=${"x".repeat(50_000)}%ff&amount=`);
    expect(asked.map(({ tier, amount, comment }) => [tier, amount, comment])).toEqual([
      ["1", "1e3", order],
      [undefined, undefined, order],
      [undefined, "", `${"x".repeat(50_000)}%ff`],
    ]);
  });

  it.each(["p=1&p=2", "p=0&amount=1&amount=1", "comment=a&comment=", "amount=1&comment=a&p=1&comment=a"])(
    "refuses %s: only one of two could be meant",
    async (query) => {
      open({});
      const answer = await app.inject(`/lnurlp/callback?${query}`);
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toEqual({
        status: "ERROR",
        reason: "bad-request",
        message: expect.stringMatching(/names (p|amount|comment) more than once/),
      });
    },
  );

  it("tells clients apart without their addresses, and counts strangers", async () => {
    const clients: string[] = [];
    open({
      async invoice({ client, countStranger }) {
        clients.push(client);
        countStranger();
        return INVOICE;
      },
    });
    const from = (address: string) =>
      app.inject({ url: "/lnurlp/callback", headers: { "x-forwarded-for": address } });
    await from("192.0.2.1");
    await from("192.0.2.2");
    await from("192.0.2.1");
    const [first, second, third] = clients;
    expect(third).toBe(first);
    expect(second).not.toBe(first);
    expect(clients.join()).not.toContain("192.0.2");
    for (let count = 2; count < 30; count++) expect((await from("192.0.2.1")).statusCode).toBe(200);
    const refused = await from("192.0.2.1");
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ status: "ERROR", reason: "rate-limited" });
    expect((await from("192.0.2.2")).statusCode).toBe(200);
  });

  it("makes no invoice for a HEAD", async () => {
    open({});
    const answer = await app.inject({ method: "HEAD", url: "/lnurlp/callback?amount=1000" });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers.allow).toBe("GET, OPTIONS");
  });

  it.each(["version-mismatch", "bad-price", "no-protocol"] as const)(
    "answers %s with 400",
    async (reason) => {
      open({ invoice: () => Promise.reject(new Refusal(reason, "In words.")) });
      const answer = await app.inject("/lnurlp/callback");
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toEqual({ status: "ERROR", reason, message: "In words." });
      expect(answer.headers["cache-control"]).toBe("no-store");
    },
  );

  it("hides what goes wrong inside", async () => {
    open({ invoice: () => Promise.reject(new Error(PREIMAGE)) });
    const answer = await app.inject("/lnurlp/callback?comment=secret");
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ status: "ERROR", reason: "internal" });
    expect(reports.splice(0)).toMatchObject([{ route: "/lnurlp/callback" }]);
    expect(answer.body).not.toContain(PREIMAGE);
  });
});

describe("GET /lnurlp/verify", () => {
  it.each([HASH, HASH.toUpperCase()])("asks for the invoice %s", async (hash) => {
    const asked: string[] = [];
    open({
      async verify(paymentHash) {
        asked.push(paymentHash);
        return UNSETTLED;
      },
    });
    const answer = await app.inject(`/lnurlp/verify/${hash}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({ ...CORS_HEADERS, "cache-control": "no-store" });
    expect(answer.json()).toEqual(UNSETTLED);
    expect(asked).toEqual([HASH]);
  });

  it("is 404 for an invoice that the desk does not know", async () => {
    open({ verify: () => Promise.reject(new Refusal("not-found", "No such invoice.")) });
    const answer = await app.inject(`/lnurlp/verify/${HASH}`);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({ status: "ERROR", reason: "not-found", message: "No such invoice." });
  });
});

describe("what is no payment hash", () => {
  it.each([
    "verify/00",
    "config/00",
    `verify/${"0".repeat(63)}g`,
    `verify/${"0".repeat(65)}`,
    "verify/",
    "verify",
    `verify/${HASH}/more`,
    `verify/${HASH}%0A`,
    "other",
  ])("%s is 404", async (path) => {
    open({});
    const answer = await app.inject(`/lnurlp/${path}`);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({ status: "ERROR", reason: "not-found", message: expect.any(String) });
    expect(answer.headers).toMatchObject(CORS_HEADERS);
  });

  it.each([
    ["cannot be decoded", 400, "%c3%28"],
    ["is much longer than one", 414, "0".repeat(101)],
  ])("%s: %i", async (_name, status, hash) => {
    open({});
    const answer = await app.inject(`/lnurlp/verify/${hash}`);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ status: "ERROR", reason: "bad-request" });
    expect(answer.headers).toMatchObject(CORS_HEADERS);
  });
});

describe("GET /lnurlp/config", () => {
  const url = `/lnurlp/config/${HASH}`;

  it.each([`Preimage ${PREIMAGE}`, `preimage  ${PREIMAGE.toUpperCase()}`])(
    "gives the .conf for %s",
    async (authorization) => {
      const asked: string[][] = [];
      open({
        async config(paymentHash, preimage) {
          asked.push([paymentHash, preimage]);
          return { config: "[Interface]\n", expiresAt: 1_900_000_000 };
        },
      });
      const answer = await app.inject({ url, headers: { authorization } });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers).toMatchObject({ ...CORS_HEADERS, "cache-control": "no-store" });
      expect(answer.json()).toEqual({ status: "ok", config: "[Interface]\n", expires_at: 1_900_000_000 });
      expect(asked).toEqual([[HASH, PREIMAGE]]);
    },
  );

  it.each([
    undefined,
    "",
    "Preimage",
    PREIMAGE,
    `Nostr ${PREIMAGE}`,
    `Preimage ${PREIMAGE}00`,
    `Preimage x${PREIMAGE}`,
    `Preimage ${PREIMAGE}, Preimage ${PREIMAGE}`,
  ])("is 401 for %s", async (authorization) => {
    open({});
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await app.inject({ url, headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual({
      status: "ERROR",
      reason: "bad-request",
      message: expect.stringContaining("Authorization: Preimage"),
    });
    expect(answer.body).not.toContain(PREIMAGE);
  });

  it("is 402 while the desk says that it is unpaid", async () => {
    open({ config: () => Promise.reject(new Refusal("payment-required", "Not paid yet.")) });
    const answer = await app.inject({ url, headers: { authorization: `Preimage ${PREIMAGE}` } });
    expect(answer.statusCode).toBe(402);
    expect(answer.json()).toMatchObject({ status: "ERROR", reason: "payment-required" });
  });
});

it.each(["/lnurlp", "/lnurlp/callback", `/lnurlp/verify/${HASH}`, `/lnurlp/config/${HASH}`])(
  "%s answers preflights, and 405 to a POST",
  async (url) => {
    open({});
    const preflight = await app.inject({ method: "OPTIONS", url });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers["access-control-allow-headers"]).toContain("Authorization");
    const posted = await app.inject({ method: "POST", url });
    expect(posted.statusCode).toBe(405);
    expect(posted.json()).toMatchObject({ status: "ERROR", reason: "method-not-allowed" });
  },
);
