import Database from "better-sqlite3";
import { generateSecretKey } from "nostr-tools/pure";
import { afterEach, describe, expect, it } from "vitest";
import { type Answer, type Buyer, createBuyer } from "../testing/buyer.ts";
import { mintToken, proofStates } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";

const DAY = { amount: 100, currency: "sat", unit: "day" } as const;

interface Market {
  relay: TestRelay;
  mint: TestMint;
  operator: Operator;
}

const opened: Market[] = [];

afterEach(async () => {
  for (const { relay, mint, operator } of opened.splice(0)) {
    await operator.destroy();
    await mint.stop();
    await relay.stop();
  }
});

async function openMarket(): Promise<Market> {
  const relay = await startRelay();
  const mint = await startMint({ feePpk: 100 });
  const operator = await createOperator({ relays: [relay.url], mints: [mint.url], settleSeconds: 2 });
  const market = { relay, mint, operator };
  opened.push(market);
  await operator.start();
  return market;
}

async function lockedToken({ mint, operator }: Market) {
  return mintToken({ mintUrl: mint.url, amountSat: DAY.amount, lock: { pubkey: operator.p2pk } });
}

function purchase({ operator }: Market, buyer: Buyer, token: string): Promise<Answer> {
  return buyer.purchase({
    url: operator.url,
    publicHost: operator.publicHost,
    operatorPubkey: operator.pubkey,
    dTag: operator.dTag,
    price: DAY,
    token,
  });
}

/** Repeats the very request, as a buyer's client is told to, until it is neither broken off nor 503. */
async function claim(market: Market, buyer: Buyer, token: string, withinMs = 30_000): Promise<Answer> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await purchase(market, buyer, token).catch(() => undefined);
    if (answer && answer.status !== 503) return answer;
    if (Date.now() > deadline)
      throw new Error(`still ${answer?.body.reason}\n${market.operator.output().slice(-3000)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

interface Books {
  states: Record<string, number>;
  proofSat: number;
  feeSat: number;
  faceSat: number;
}

/** What the book holds, read from outside. */
function readBooks(operator: Operator): Books {
  const book = new Database(operator.databasePath, { readonly: true });
  try {
    const states = book.prepare("SELECT state, count(*) AS n FROM sales GROUP BY state").all() as {
      state: string;
      n: number;
    }[];
    const number = (sql: string) => book.prepare(sql).pluck().get() as number;
    const paid = "FROM sales WHERE state IN ('paid', 'owed', 'granted')";
    return {
      states: Object.fromEntries(states.map(({ state, n }) => [state, n])),
      proofSat: number("SELECT coalesce(sum(amount_sat), 0) FROM proofs"),
      feeSat: number(`SELECT coalesce(sum(fee_sat), 0) ${paid}`),
      faceSat: number(`SELECT coalesce(sum(face_sat), 0) ${paid}`),
    };
  } finally {
    book.close();
  }
}

function expectBalanced(operator: Operator): void {
  const { proofSat, feeSat, faceSat } = readBooks(operator);
  expect(faceSat).toBe(proofSat + feeSat);
}

async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("a daemon that dies", () => {
  it("kill -9 between the swap's answer and the write: the repeated request gets the tunnel", async () => {
    const market = await openMarket();
    const { mint, operator } = market;
    const buyer = createBuyer();
    const { token } = await lockedToken(market);
    // The book is held shut from outside once the swap is under way: the answer arrives and cannot be written.
    const holder = new Database(operator.databasePath);
    mint.fault = ({ path }) => {
      if (path === "/v1/swap") holder.exec("BEGIN IMMEDIATE");
      return undefined;
    };
    const first = purchase(market, buyer, token).catch(() => undefined);
    await until("the swap is carried out", () => mint.swapCount() === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await operator.kill();
    await first;
    holder.exec("ROLLBACK");
    holder.close();
    mint.fault = undefined;
    expect(readBooks(operator).states).toEqual({ swapping: 1 });

    await operator.start();
    expect(operator.events("recovered").at(-1)).toMatchObject({ found: 1, granted: 1 });
    const answer = await claim(market, buyer, token);
    expect(answer.body.config).toContain("[Interface]");
    expect(mint.swapCount()).toBe(1);
    expect(readBooks(operator).states).toEqual({ granted: 1 });
    expectBalanced(operator);
  });

  it("kill -9 while the mint has acted and says nothing", async () => {
    const market = await openMarket();
    const buyer = createBuyer();
    const { token } = await lockedToken(market);
    market.mint.failNext("/v1/swap", { kind: "stall", acts: true });
    const first = purchase(market, buyer, token).catch(() => undefined);
    await until("the swap is carried out", () => market.mint.swapCount() === 1);
    await market.operator.kill();
    await first;
    market.mint.release();
    await market.operator.start();
    expect((await claim(market, buyer, token)).status).toBe(200);
    expect(market.mint.swapCount()).toBe(1);
    expectBalanced(market.operator);
  });

  it("kill -9 before the mint has acted: the same bytes are sent again", async () => {
    const market = await openMarket();
    const buyer = createBuyer();
    const { token } = await lockedToken(market);
    market.mint.failNext("/v1/swap", { kind: "drop-before" }, { kind: "drop-before" });
    const first = purchase(market, buyer, token).catch(() => undefined);
    await until("the swap was asked for", () => market.mint.requestCount("/v1/swap") >= 1);
    await market.operator.kill();
    await first;
    await market.operator.start();
    expect((await claim(market, buyer, token)).status).toBe(200);
    expect(market.mint.swapCount()).toBe(1);
    expectBalanced(market.operator);
  });

  it("SIGTERM during 20 purchases: each is answered, or claimable after the restart", async () => {
    const market = await openMarket();
    const buyers = await Promise.all(
      Array.from({ length: 20 }, async () => ({ buyer: createBuyer(), ...(await lockedToken(market)) })),
    );
    const answers = buyers.map(({ buyer, token }) => purchase(market, buyer, token).catch(() => undefined));
    await until("some are under way", () => market.mint.swapCount() >= 3);
    expect(await market.operator.stop()).toBe(0);
    const before = await Promise.all(answers);
    await market.operator.start();
    for (const [index, { buyer, token }] of buyers.entries()) {
      const answer = await claim(market, buyer, token);
      expect(answer.status).toBe(200);
      if (before[index]?.status === 200) expect(answer.body).toEqual(before[index]?.body);
    }
    expect(market.mint.swapCount()).toBe(20);
    expectBalanced(market.operator);
  });
});

describe("a mint that is silent", () => {
  it("acts and drops the connection: the buyer is served in the same request", async () => {
    const market = await openMarket();
    const { token } = await lockedToken(market);
    market.mint.failNext("/v1/swap", { kind: "drop-after" });
    const answer = await purchase(market, createBuyer(), token);
    expect(answer.status).toBe(200);
    expect(market.mint.swapCount()).toBe(1);
    expectBalanced(market.operator);
  });

  it("stalls: the buyer is answered within 20 s, told to repeat, and served when it is back", async () => {
    const market = await openMarket();
    const buyer = createBuyer();
    const { token } = await lockedToken(market);
    market.mint.fault = ({ path }) => (path.startsWith("/v1/keys") ? undefined : { kind: "stall" });
    const started = performance.now();
    const answer = await purchase(market, buyer, token);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(answer.status).toBe(503);
    expect(answer.body.reason).toBe("mint-unreachable");
    expect(answer.body.message).toMatch(/repeat/);
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    market.mint.fault = undefined;
    market.mint.release();
    expect((await claim(market, buyer, token)).status).toBe(200);
    expect(market.mint.swapCount()).toBe(1);
    expectBalanced(market.operator);
  }, 60_000);

  it("a token spent elsewhere is double-spent, by the mint's word, and its address goes back", async () => {
    const market = await openMarket();
    const { token } = await lockedToken(market);
    const buyer = createBuyer();
    expect((await purchase(market, buyer, token)).status).toBe(200);
    const stranger = createBuyer(generateSecretKey());
    expect((await purchase(market, stranger, token)).body.reason).toBe("double-spent");
    expect(market.mint.requestCount("/v1/swap")).toBe(1);
  });
});

describe("relays that vanish", () => {
  it("all gone after the start: sales go on, and the outbox empties when one returns", async () => {
    const market = await openMarket();
    const { relay, mint, operator } = market;
    await relay.stop();
    const { token, proofs } = await lockedToken(market);
    expect((await purchase(market, createBuyer(), token)).status).toBe(200);
    expect(await proofStates(mint.url, proofs)).toEqual(proofs.map(() => "SPENT"));
    const wallet = async () =>
      ((await (await fetch(`${operator.url}/health`)).json()) as { wallet: string }).wallet;
    await until("the outbox holds the proofs", async () => (await wallet()) !== "ok");
    expect(relay.events().filter(({ kind }) => kind === 7375)).toHaveLength(0);
    await relay.start();
    await until("the outbox is empty", async () => (await wallet()) === "ok", 60_000);
    expect(relay.events().filter(({ kind }) => kind === 7375)).toHaveLength(1);
    expectBalanced(operator);
  }, 90_000);
});
