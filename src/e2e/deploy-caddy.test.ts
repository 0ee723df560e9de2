import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBuyer, type Order } from "../testing/buyer.ts";
import { type Caddy, type CaddyAnswer, startCaddy } from "../testing/caddy.ts";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { toolsMissing } from "../testing/tools.ts";
import { CORS_ON_EVERY_ANSWER } from "./expectations.ts";

const missing = toolsMissing(["caddy"], Boolean(process.env.CI));
const DAY = { amount: 100, unit: "day" } as const;
const MARK = "a-buyers-own-mark";
const WITHIN_MS = 90_000;

describe.skipIf(missing)(`the Caddyfile${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let relay: TestRelay;
  let mint: TestMint;
  let operator: Operator;
  let caddy: Caddy;
  /** Nothing of them may be told by Caddy. */
  const sent: string[] = [MARK];

  beforeAll(async () => {
    relay = await startRelay();
    mint = await startMint();
    operator = await createOperator({ relays: [relay.url], mints: [mint.url], prices: [DAY] });
    caddy = await startCaddy(operator.url);
    await operator.start();
  }, WITHIN_MS);

  afterAll(async () => {
    await caddy.stop();
    await operator.destroy();
    await mint.stop();
    await relay.stop();
  });

  const minted = () => mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: operator.p2pk } });
  const buy = async () => buyWith((await minted()).token);

  async function buyWith(token: string, more: Partial<Order> = {}, from?: string): Promise<CaddyAnswer> {
    const buyer = createBuyer();
    const order = orderAt(operator, DAY, { token, ...more });
    const authorization = buyer.authorization(order);
    sent.push(buyer.wireguard.publicKey, authorization.slice(0, 60), token.slice(0, 60));
    return caddy.ask("/purchase", {
      method: "POST",
      headers: {
        authorization,
        "x-cashu": token,
        "content-type": "application/json",
        "user-agent": MARK,
        ...order.headers,
      },
      body: JSON.stringify({ protocol: "wireguard", client_pubkey: buyer.wireguard.publicKey }),
      ...(from === undefined ? {} : { from }),
    });
  }

  it("sells a tunnel through it", async () => {
    const answer = await buy();
    expect(answer.text).toContain("[Interface]");
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject(CORS_ON_EVERY_ANSWER);
    expect(answer.headers["strict-transport-security"]).toBe("max-age=31536000");
  });

  it("passes HEAD, preflights and 404 with the daemon's own headers", async () => {
    const head = await caddy.ask("/info", { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    const preflight = await caddy.ask("/purchase", {
      method: "OPTIONS",
      headers: { origin: "https://client.example", "access-control-request-method": "POST" },
    });
    expect([preflight.status, preflight.text]).toEqual([204, ""]);
    const nowhere = await caddy.ask("/nowhere");
    expect([nowhere.status, JSON.parse(nowhere.text)]).toEqual([
      404,
      expect.objectContaining({ status: "error", reason: "not-found" }),
    ]);
    // A browser refuses CORS headers that come twice: Node joins those with a comma.
    for (const { headers } of [head, preflight, nowhere]) expect(headers).toMatchObject(CORS_ON_EVERY_ANSWER);
  });

  it.each([
    ["HTTP/1.1", (headers: Record<string, string>) => caddy.ask("/info", { headers })],
    ["HTTP/2", (headers: Record<string, string>) => askByHttp2(caddy, "/info", headers)],
  ])("passes 60 KB of headers by %s, and leaves it to the daemon to refuse more", async (_name, ask) => {
    const long = await ask({ "x-cashu": "c".repeat(60_000) });
    expect(long.status).toBe(200);
    const tooLong = await ask({ "x-cashu": "c".repeat(70_000) });
    expect([tooLong.status, JSON.parse(tooLong.text)]).toEqual([
      431,
      { status: "error", reason: "bad-request", message: "The headers are too large: at most 64 KiB." },
    ]);
    expect(tooLong.headers).toMatchObject(CORS_ON_EVERY_ANSWER);
  });

  it(
    "tells the daemon whose a request is, whatever the client claims",
    async () => {
      const { token } = await minted();
      const reasonFrom = async (from: string, headers: Record<string, string>) =>
        JSON.parse((await buyWith(token, { dTag: "another", headers }, from)).text).reason;
      // 30 purchases a minute are let through for each client: were a claim believed, all of these would be.
      const claims = Array.from({ length: 60 }, (_, index) => ({ "x-forwarded-for": `203.0.113.${index}` }));
      const reasons = await Promise.all(claims.map((headers) => reasonFrom("127.0.0.7", headers)));
      expect(new Set(reasons)).toEqual(new Set(["unknown-listing", "rate-limited"]));
      expect(await reasonFrom("127.0.0.8", {})).toBe("unknown-listing");
    },
    WITHIN_MS,
  );

  it(
    "holds requests through a restart of the daemon",
    async () => {
      await operator.stop();
      const asked = [caddy.ask("/info"), buy()];
      await operator.start();
      const answers = await Promise.all(asked);
      expect(answers.map(({ status, text }) => (status === 200 ? status : text))).toEqual([200, 200]);
    },
    WITHIN_MS,
  );

  it(
    "says in the daemon's own form that it is down, and to repeat",
    async () => {
      await operator.stop();
      const [info, purchase, head, preflight, lnurl, callback] = await Promise.all([
        caddy.ask("/info", { headers: { "user-agent": MARK } }),
        buy(),
        caddy.ask("/info", { method: "HEAD" }),
        caddy.ask("/purchase", { method: "OPTIONS" }),
        caddy.ask(`/lnurlp?p=${MARK}`),
        caddy.ask("/lnurlp/callback?amount=1000"),
      ]);
      await operator.start();
      const { "access-control-max-age": _, ...cors } = CORS_ON_EVERY_ANSWER;
      for (const answer of [info, purchase, head, preflight, lnurl, callback]) {
        expect(answer.headers).toMatchObject({
          ...cors,
          "strict-transport-security": expect.stringContaining("max-age="),
        });
      }
      expect([preflight.status, preflight.text]).toEqual([204, ""]);
      for (const answer of [info, purchase, head, lnurl, callback]) {
        expect(answer.status).toBe(503);
        expect(answer.headers).toMatchObject({
          "retry-after": expect.stringMatching(/^[1-9]\d*$/),
          "content-type": "application/json; charset=utf-8",
        });
      }
      expect(head.text).toBe("");
      const message = expect.stringContaining("repeat this request");
      for (const { text } of [info, purchase]) {
        expect(JSON.parse(text)).toEqual({ status: "error", reason: "tunnel-unavailable", message });
      }
      for (const { text } of [lnurl, callback]) {
        expect(JSON.parse(text)).toEqual({ status: "ERROR", reason: "tunnel-unavailable", message });
      }
    },
    WITHIN_MS,
  );

  it("tells nothing of buyers in what it prints, errors included", () => {
    const lines = caddy.output().trimEnd().split("\n");
    const records = lines.map((line) => JSON.parse(line) as { level: string; logger?: string });
    expect(lines.some((line) => line.includes("serving initial configuration"))).toBe(true);
    expect(records.filter(({ logger }) => /^http\b/.test(logger ?? ""))).toEqual([]);
    const told = [...sent, "/purchase", "/lnurlp", "/info"].filter((piece) => caddy.output().includes(piece));
    expect(told).toEqual([]);
    // Handshakes are logged with their address at the level `debug`, which is not on where it is deployed.
    const usual = lines.filter((_line, index) => records[index]?.level !== "debug").join("\n");
    expect(usual).not.toMatch(/127\.0\.0\.7|"(request|headers|remote|remote_ip|remote_addr|client_ip)":/);
  });
});

async function askByHttp2(caddy: Caddy, path: string, headers: Record<string, string>): Promise<CaddyAnswer> {
  const session = connect(caddy.url, { ca: caddy.authority, maxSendHeaderBlockLength: 1024 * 1024 });
  try {
    const stream = session.request({ ":path": path, ...headers });
    const [answered] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status"?: number }];
    let text = "";
    for await (const piece of stream.setEncoding("utf8")) text += piece;
    return { status: answered[":status"] ?? 0, headers: answered, text };
  } finally {
    session.destroy();
  }
}
