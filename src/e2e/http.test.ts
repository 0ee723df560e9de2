import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, createBuyer, findListings, type Order } from "../testing/buyer.ts";
import { type MintTokenOptions, mintToken, proofStates } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { CORS_ON_EVERY_ANSWER, expectRefused } from "./expectations.ts";

const DAY = { amount: 100, unit: "day" } as const;
const GIB = { amount: 50, unit: "GiB" } as const;
const SECONDS_A_DAY = 86_400;

let relay: TestRelay;
let mint: TestMint;
let oldMint: TestMint;
let operator: Operator;

beforeAll(async () => {
  relay = await startRelay();
  mint = await startMint({ keysetVersion: "v2" });
  oldMint = await startMint({ keysetVersion: "v1" });
  operator = await createOperator({
    relays: [relay.url],
    mints: [mint.url, oldMint.url],
    prices: [DAY, GIB],
    maxPurchase: { amount: 30, unit: "day" },
    // 13 addresses: network, broadcast and the server's own are not given out.
    subnet: "10.66.42.0/28",
  });
  await operator.start();
});

afterAll(async () => {
  await operator.destroy();
  await Promise.all([relay.stop(), mint.stop(), oldMint.stop()]);
});

function minted(options: Partial<MintTokenOptions> = {}) {
  return mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: operator.p2pk }, ...options });
}

async function ask(path: string, init?: RequestInit): Promise<Response> {
  const answer = await fetch(operator.url + path, init);
  expect(Object.fromEntries(answer.headers)).toMatchObject(CORS_ON_EVERY_ANSWER);
  return answer;
}

function addressIn({ body }: Answer): string {
  return /^Address = (10\.66\.42\.\d+)\/32$/m.exec(body.config ?? "")?.[1] ?? "none";
}

/** Seconds that a purchase bought, if it was granted while `ask` ran. */
async function secondsBought(order: Order, buyer = createBuyer()) {
  const before = Math.floor(Date.now() / 1000);
  const answer = await buyer.purchase(order);
  const after = Math.floor(Date.now() / 1000);
  expect(answer.body).toEqual({
    status: "ok",
    expires_at: expect.any(Number),
    config: expect.stringContaining("[Interface]"),
  });
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject(CORS_ON_EVERY_ANSWER);
  const expiresAt = answer.body.expires_at ?? 0;
  return { answer, expiresAt, atMost: expiresAt - before, atLeast: expiresAt - after };
}

describe("what strangers look at first", () => {
  it("/info says the same as the listing on the relay", async () => {
    await operator.waitForEvent("listing-published");
    const [found] = await findListings(relay.url);
    if (!found) throw new Error("no listing");
    const { listing, operatorPubkey } = found;
    const answer = await ask("/info");
    expect(answer.status).toBe(200);
    const info = (await answer.json()) as Record<string, unknown>;
    const cashu = listing.paymentMethods.filter((method) => method.type === "cashu");
    expect(info).toEqual({
      software: "europa-node",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      spec_version: "vpn-marketplace/1",
      pubkey: operatorPubkey,
      endpoint: operator.publicHost,
      title: listing.title,
      summary: listing.summary,
      content: listing.content,
      protocols: listing.protocols,
      region: listing.region,
      prices: listing.prices,
      policies: listing.policies,
      payment_methods: listing.paymentMethods.map((method) => method.type),
      mints: cashu.map((method) => method.mint),
      cashu_purchase_endpoints: [...new Set(cashu.map((method) => method.endpoint))],
      lightning_endpoints: [],
    });
    expect(operatorPubkey).toBe(operator.pubkey);
    expect(cashu.map((method) => method.p2pk)).toEqual([operator.p2pk, operator.p2pk]);
    expect(info.mints).toEqual([mint.url, oldMint.url]);
    expect(listing.status).toBe("active");
  });

  it("HEAD /info, /health, /health/live", async () => {
    const head = await ask("/info", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const health = await ask("/health");
    expect([health.status, await health.json()]).toEqual([
      200,
      expect.objectContaining({
        ok: true,
        service: "europa-node",
        pubkey: operator.pubkey.slice(0, 12),
        listing: operator.dTag,
      }),
    ]);
    const live = await ask("/health/live");
    expect([live.status, await live.json()]).toEqual([200, { ok: true }]);
  });

  it("404 and 405 in JSON", async () => {
    const nowhere = await ask("/wp-login.php");
    expect([nowhere.status, await nowhere.json()]).toEqual([
      404,
      { status: "error", reason: "not-found", message: expect.any(String) },
    ]);
    const wrongMethod = await ask("/purchase");
    expect([wrongMethod.status, wrongMethod.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  });

  it.each(["/purchase", "/info", "/nowhere"])(
    "a browser's preflight of %s, and one that lacks its headers",
    async (path) => {
      const headers = {
        origin: "https://client.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-cashu",
      };
      expect((await ask(path, { method: "OPTIONS", headers })).status).toBe(204);
      expect((await ask(path, { method: "OPTIONS" })).status).toBe(204);
    },
  );

  it.each(["/lnurlp?p=day", "/lnurlp/callback?amount=1000"])(
    "%s says that there is no Lightning",
    async (path) => {
      const answer = await ask(path);
      expect(answer.status).toBe(503);
      expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(await answer.json()).toEqual({
        status: "ERROR",
        reason: "lightning-not-configured",
        message: expect.any(String),
      });
    },
  );
});

describe("what a token may look like", () => {
  it.each([
    ["cashuA", "v1"],
    ["cashuB", "v1"],
    ["cashuA", "v2"],
    ["cashuB", "v2"],
  ] as const)("%s, keyset %s", async (encoding, version) => {
    const mintUrl = version === "v1" ? oldMint.url : mint.url;
    const { token } = await minted({ mintUrl, encoding });
    expect(token.startsWith(encoding)).toBe(true);
    const { atMost, atLeast } = await secondsBought(orderAt(operator, GIB, { token }), renewing);
    expect(atLeast).toBeLessThanOrEqual(30 * SECONDS_A_DAY);
    expect(atMost).toBeGreaterThanOrEqual(30 * SECONDS_A_DAY);
  });

  it.each(["header", "body"] as const)("100 proofs and more than 16 KiB, in the %s", async (tokenIn) => {
    const { token, proofs } = await minted({ denominations: Array(100).fill(1) });
    expect(token.length).toBeGreaterThan(16 * 1024);
    const { answer } = await secondsBought(orderAt(operator, GIB, { token, tokenIn }), renewing);
    renewedAddress ??= addressIn(answer);
    expect(addressIn(answer)).toBe(renewedAddress);
    expect(new Set(await proofStates(mint.url, proofs))).toEqual(new Set(["SPENT"]));
  });

  /** One session for all of these, so that the pool below is not used up. */
  const renewing = createBuyer();
  let renewedAddress: string | undefined;
});

describe("what is bought", () => {
  it("time pro rata, to the second", async () => {
    const { token } = await minted({ amountSat: 250 });
    const { answer, expiresAt, atMost, atLeast } = await secondsBought(orderAt(operator, DAY, { token }));
    expect(atLeast).toBeLessThanOrEqual(2.5 * SECONDS_A_DAY);
    expect(atMost).toBeGreaterThanOrEqual(2.5 * SECONDS_A_DAY);
    const told = new Date(expiresAt * 1000).toISOString().replace(".000", "");
    expect(answer.body.config).toContain(`# Expires: ${told}\n`);
    expect(answer.body.config).toContain("# Quota: none\n");
  });

  it("data, which also ends after 30 days", async () => {
    const { token } = await minted({ amountSat: 75 });
    const { answer, atMost, atLeast } = await secondsBought(orderAt(operator, GIB, { token }));
    expect(answer.body.config).toContain(`# Quota: ${1.5 * 2 ** 30} bytes left\n`);
    expect(atLeast).toBeLessThanOrEqual(30 * SECONDS_A_DAY);
    expect(atMost).toBeGreaterThanOrEqual(30 * SECONDS_A_DAY);
  });

  it("more time at the same address, for a key that comes back; and the same answer for a token that does", async () => {
    const buyer = createBuyer();
    const first = orderAt(operator, DAY, { token: (await minted()).token });
    const one = await buyer.purchase(first);
    const two = await buyer.purchase(orderAt(operator, DAY, { token: (await minted()).token }));
    expect(addressIn(two)).toBe(addressIn(one));
    expect((two.body.expires_at ?? 0) - (one.body.expires_at ?? 0)).toBe(SECONDS_A_DAY);
    const swaps = mint.swapCount();
    const again = await buyer.purchase({ ...first, expiresInSeconds: 600 });
    expect([addressIn(again), again.body.expires_at]).toEqual([addressIn(one), two.body.expires_at]);
    expect(mint.swapCount()).toBe(swaps);
  });
});

describe("fifty at once", () => {
  it("with one token: one swap, one tunnel, fifty equal answers", async () => {
    const { token } = await minted();
    const buyer = createBuyer();
    const swaps = mint.requestCount("/v1/swap");
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => buyer.purchase(orderAt(operator, DAY, { token }))),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect(mint.requestCount("/v1/swap") - swaps).toBe(1);
  });

  it("with fifty tokens and ten addresses: ten tunnels, forty untouched tokens", async () => {
    const own = await createOperator({
      relays: [relay.url],
      mints: [mint.url],
      prices: [DAY],
      subnet: "10.66.42.0/28",
    });
    try {
      await own.start();
      const tokens = await Promise.all(
        Array.from({ length: 53 }, () =>
          mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: own.p2pk } }),
        ),
      );
      const buy = ({ token }: { token: string }) => createBuyer().purchase(orderAt(own, DAY, { token }));
      const before = await Promise.all(tokens.slice(0, 3).map(buy));
      expect(before.map(({ status }) => status)).toEqual([200, 200, 200]);
      const answers = await Promise.all(tokens.slice(3).map(buy));
      const granted = answers.filter(({ status }) => status === 200);
      const addresses = [...before, ...granted].map(addressIn);
      expect(addresses).toHaveLength(13);
      expect(new Set(addresses).size).toBe(13);
      expect(addresses).not.toContain("none");
      for (const answer of answers) {
        if (answer.status !== 200) expectRefused(answer, { status: 503, reason: "no-ip-available" });
      }
      const states = await Promise.all(tokens.slice(3).map(({ proofs }) => proofStates(mint.url, proofs)));
      expect(states.map((of) => [...new Set(of)].join())).toEqual(
        answers.map(({ status }) => (status === 200 ? "SPENT" : "UNSPENT")),
      );
    } finally {
      await own.destroy();
    }
  });
});
