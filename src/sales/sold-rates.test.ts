import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Buyer,
  type CrashPoint,
  createWorld,
  DAY,
  dayPrice,
  type World,
} from "../testing/sales-world.ts";

const HOUR = 3600;
const at = (rateMbit?: number) => ({ ...dayPrice, rateMbit });

let world: World;
beforeEach(async () => {
  world = await createWorld({ prices: [at(50)] });
});
afterEach(() => world.close());

/** The operator writes another rate, or takes the tier away, and former tiers are not honoured. */
async function restartWith(...prices: World["settings"]["prices"]): Promise<void> {
  world.settings.prices = prices;
  world.settings.priceGraceSeconds = 0;
  await world.restart();
  await world.sweep(0);
  await world.run.payments.recover();
  await world.run.settlement.idle();
}

function rateOf(buyer: Buyer, laterSeconds = 0): number | null | undefined {
  const session = world.run.sessions.findByKey(buyer.publicKey, world.time.seconds);
  const then = (world.time.seconds + laterSeconds) * 1000;
  return session && world.run.sessions.limit(session.sessionId, then).rateMbit;
}

describe("over ecash", () => {
  const verbs: CrashPoint["verb"][] = ["open", "paid", "attachSession", "granted"];
  const points = verbs.flatMap((verb) =>
    (["before", "after"] as const).map((when): CrashPoint => ({ verb, when })),
  );
  const written = points.filter(({ verb, when }) => verb !== "open" || when === "after");

  it.each(written)("a crash $when $verb: the tunnel is as fast as it was sold", async (point) => {
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    world.crashAt(point);
    await world.buy(buyer, token).catch(() => undefined);
    expect(world.isDead()).toBe(true);
    await restartWith(at(10));
    const { config } = await world.buy(buyer, token);
    expect(config).toContain("# Rate: 50 Mbit/s each way\n");
    expect(rateOf(buyer)).toBe(50);
  });

  it("a claim that a mint leaves open until the config is another gets what was sold", async () => {
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    world.mint.script("swap", "acts-then-silence");
    world.mint.script("restore", "silence");
    await expect(world.buy(buyer, token)).rejects.toMatchObject({ reason: "mint-unreachable" });
    await restartWith({ ...dayPrice, amount: 200, rateMbit: 10 });
    await world.sweep();
    await world.buy(buyer, token);
    expect(rateOf(buyer)).toBe(50);
  });

  it("a claim that is repeated adds nothing, and tells the rates that hold by then", async () => {
    const buyer = world.buyer();
    const token = world.mint.issue([100]);
    await world.buy(buyer, token);
    await restartWith(at(10));
    world.pass(HOUR);
    const renewed = await world.buy(buyer, world.mint.issue([100]));
    const until = new Date((world.time.seconds + DAY - HOUR) * 1000).toISOString().replace(".000Z", "Z");
    const rates = `# Rate: 50 Mbit/s each way until ${until}, then 10 Mbit/s each way\n`;
    expect(renewed.config).toContain(rates);
    expect((await world.buy(buyer, token)).config).toContain(rates);
    expect([rateOf(buyer), rateOf(buyer, DAY - HOUR), rateOf(buyer, 2 * DAY - HOUR - 1)]).toEqual([
      50, 10, 10,
    ]);
  });

  it("a token that was locked before the rate was lowered, or the tier left, buys what was offered", async () => {
    world.settings.prices = [at(10)];
    await world.restart();
    const buyer = world.buyer();
    await world.buy(buyer, world.mint.issue([100]));
    expect(rateOf(buyer)).toBe(50);
    world.settings.prices = [{ ...dayPrice, amount: 200 }];
    await world.restart();
    const other = world.buyer();
    await world.buy(other, world.mint.issue([100]));
    expect(rateOf(other)).toBe(50);
    world.pass(HOUR);
    world.settings.prices = [at(10)];
    await world.restart();
    const late = world.buyer();
    await world.buy(late, world.mint.issue([100]));
    expect(rateOf(late)).toBe(10);
  });
});

describe("over Lightning", () => {
  it("an invoice that is paid under another config buys the rate that it was made for, overpaid too", async () => {
    const [buyer, generous] = [world.buyer(), world.buyer()];
    const hashes = [await world.invoice(buyer), await world.invoice(generous)].map(
      (made) => made.paymentHash,
    );
    world.node.settle(hashes[0] ?? "");
    world.node.settle(hashes[1] ?? "", { receivedMsat: 200_000 });
    await restartWith(at(10));
    expect([rateOf(buyer), rateOf(generous), rateOf(generous, 2 * DAY - 1)]).toEqual([50, 50, 50]);
  });

  it("an invoice made for another rate is not given out again", async () => {
    const buyer = world.buyer();
    const former = await world.invoice(buyer);
    expect((await world.invoice(buyer)).paymentHash).toBe(former.paymentHash);
    await restartWith(at(10));
    const { paymentHash } = await world.invoice(buyer);
    expect(paymentHash).not.toBe(former.paymentHash);
    world.node.settle(paymentHash);
    await world.run.payments.recover();
    await world.run.settlement.idle();
    expect(rateOf(buyer)).toBe(10);
  });
});

it("a move to another key takes the rates along", async () => {
  const buyer = world.buyer();
  const token = world.mint.issue([100]);
  await world.buy(buyer, token);
  const moved = world.buyer(buyer.nostrKey);
  await world.buy(moved, token);
  expect(rateOf(moved)).toBe(50);
});
