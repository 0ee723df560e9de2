import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sessionListSchema } from "../daemon/sessions-report.ts";
import { statusReportSchema } from "../daemon/status-report.ts";
import { type Buyer, createBuyer, findListings } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { eventually } from "../testing/eventually.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { openTunnelMarket, type TunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";

const missing = await tunnelsMissing(Boolean(process.env.CI));

describe("rates, as they are sold and told", () => {
  const slowDay = { amount: 100, unit: "day", rateMbit: 10 } as const;
  const fastDay = { amount: 300, unit: "day", rateMbit: 50 } as const;
  const week = { amount: 500, unit: "week" } as const;
  let relay: TestRelay;
  let mint: TestMint;
  let operator: Operator;

  beforeEach(async () => {
    relay = await startRelay();
    mint = await startMint();
    operator = await createOperator({
      relays: [relay.url],
      mints: [mint.url],
      prices: [slowDay, fastDay, week],
      rateMbit: 20,
    });
    await operator.start();
    await operator.waitForEvent("listing-published");
  });
  afterEach(async () => {
    await operator.destroy();
    await mint.stop();
    await relay.stop();
  });

  async function buy(tier: typeof slowDay | typeof fastDay | typeof week, buyer: Buyer): Promise<string> {
    const lock = { pubkey: operator.p2pk };
    const { token } = await mintToken({ mintUrl: mint.url, amountSat: tier.amount, lock });
    const { body } = await buyer.purchase(orderAt(operator, tier, { token }));
    return /^# Rate: (.*)$/m.exec(body.config ?? "")?.[1] ?? "none";
  }

  async function told(args: string[]): Promise<unknown> {
    return JSON.parse((await operator.command([...args, "--json"])).stdout);
  }

  const ratesOfAll = async () =>
    sessionListSchema
      .parse(await told(["sessions", "list"]))
      .sessions.map(({ rates }) => rates.map(({ rateMbit }) => rateMbit));

  it("each tier has its own in /info and in the .conf, and the listing is as ever", async () => {
    expect(await (await fetch(`${operator.url}/info`)).json()).toMatchObject({
      prices: [
        { amount: 100, currency: "sat", unit: "day", rate_mbit: 10 },
        { amount: 300, currency: "sat", unit: "day", rate_mbit: 50 },
        { amount: 500, currency: "sat", unit: "week" },
      ],
      rate_mbit: 20,
    });
    const [found] = await findListings(relay.url);
    expect(found?.listing.prices).toEqual([
      { amount: 100, currency: "sat", unit: "day" },
      { amount: 300, currency: "sat", unit: "day" },
      { amount: 500, currency: "sat", unit: "week" },
    ]);
    expect(await buy(slowDay, createBuyer())).toBe("10 Mbit/s each way");
    expect(await buy(week, createBuyer())).toBe("20 Mbit/s each way");
  });

  it("a renewal in a faster tier is fast first, also after a restart with other rates", async () => {
    const buyer = createBuyer();
    await buy(slowDay, buyer);
    expect(await buy(fastDay, buyer)).toMatch(/^50 Mbit\/s each way until \S+Z, then 10 Mbit\/s each way$/);
    expect(await buy(week, buyer)).toMatch(
      /^50 .* until \S+Z, then 20 .* until \S+Z, then 10 Mbit\/s each way$/,
    );
    expect(await ratesOfAll()).toEqual([[50, 20, 10]]);
    await operator.stop();
    operator.writeConfig({
      prices: [{ ...slowDay, rateMbit: 5 }, { ...fastDay, rateMbit: 5 }, week],
      rateMbit: 30,
    });
    await operator.start();
    expect(await ratesOfAll()).toEqual([[50, 30, 10]]);
  });

  it("that nothing holds are worth a word, in the log and each morning", async () => {
    await operator.waitForEvent("rates-not-held");
    const { tunnels } = statusReportSchema.parse(await told(["status"]));
    expect(tunnels.rates).toEqual({ defaultMbit: 20, areSold: true, areHeld: false });
  });
});

describe.skipIf(missing)(`rates in the kernel${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let market: TunnelMarket;

  beforeAll(async () => {
    market = await openTunnelMarket({
      tag: "e2erate",
      prices: [
        { amount: 36, unit: "hour", rateMbit: 10 },
        { amount: 100, unit: "day" },
        { amount: 500, unit: "week", rateMbit: 80 },
      ],
      rateMbit: 40,
      enforcement: "kernel",
    });
    await market.operator.start();
  }, 90_000);
  afterAll(() => market?.destroy(), 30_000);

  async function rateOf({ address }: { address: string }): Promise<number | undefined> {
    return (await market.limits()).rates.get(address);
  }

  it("are those of the tiers; fast first after a renewal, slow after that, and the same after a restart", async () => {
    const slow = await market.buy({ unit: "hour" });
    const usual = await market.buy({ unit: "day" });
    expect([await rateOf(slow), await rateOf(usual)]).toEqual([10, 40]);

    const renewed = await market.buy({ unit: "week", buyer: slow.buyer });
    expect([renewed.address, await rateOf(slow)]).toEqual([slow.address, 80]);

    await market.operator.kill();
    market.operator.writeConfig({ rateMbit: 30 });
    await market.operator.start();
    expect([await rateOf(slow), await rateOf(usual)]).toEqual([80, 30]);

    market.endFastestAt(slow.buyer.wireguard.publicKey, Math.floor(Date.now() / 1000));
    await eventually(async () => (await rateOf(slow)) === 10);
    expect(market.operator.events("rates-not-held")).toEqual([]);
  }, 90_000);
});
