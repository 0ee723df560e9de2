import { afterEach, describe, expect, it } from "vitest";
import { addressIn, createWorld, INVOICE_SECONDS, reasonOf, type World } from "../../testing/sales-world.ts";

let world: World;
afterEach(() => world.close());

/** /29: five addresses, of which unpaid invoices hold two at most. */
const inWorld = async (subnet = "10.9.0.0/29") => {
  world = await createWorld({ subnet });
};

const pending = () => world.all("SELECT 1 FROM sessions WHERE status = 'pending'").length;
const ecash = () => world.mint.issue([64, 32, 4]);
let clients = 0;
const someone = () => `client ${++clients}`;

describe("unpaid invoices", () => {
  it("of one key share one address, and each that is paid adds its time", async () => {
    await inWorld();
    const buyer = world.buyer();
    const first = await world.invoice(buyer);
    const second = await world.invoice(buyer, { amount: "200000" });
    expect(second.paymentHash).not.toBe(first.paymentHash);
    expect(pending()).toBe(1);
    world.node.settle(second.paymentHash);
    const twoDays = await world.run.lnurl.config(second.paymentHash, second.preimage);
    world.node.settle(first.paymentHash);
    const threeDays = await world.run.lnurl.config(first.paymentHash, first.preimage);
    expect(Number(threeDays.expiresAt) - Number(twoDays.expiresAt)).toBe(86_400);
    expect(addressIn(threeDays)).toBe(addressIn(twoDays));
  });

  it("are one invoice when the same is asked for again, until half its time is over", async () => {
    await inWorld();
    const buyer = world.buyer();
    const first = await world.invoice(buyer);
    expect((await world.invoice(buyer)).answer.pr).toBe(first.answer.pr);
    world.pass(INVOICE_SECONDS / 2 + 1);
    expect((await world.invoice(buyer)).answer.pr).not.toBe(first.answer.pr);
  });

  it("hold at most half the pool: the oldest yields, and takes another address once it is paid", async () => {
    await inWorld();
    const first = await world.invoice(world.buyer(), { client: someone() });
    for (let more = 0; more < 10; more++) await world.invoice(world.buyer(), { client: someone() });
    expect(pending()).toBe(2);
    world.node.settle(first.paymentHash);
    await world.run.lnurl.config(first.paymentHash, first.preimage);
    expect(await world.peerKeys()).toHaveLength(1);
  });

  it("never stand in the way of a buyer with ecash, who takes their address when no other is free", async () => {
    await inWorld();
    const unpaid = await world.invoice(world.buyer(), { client: someone() });
    await world.invoice(world.buyer(), { client: someone() });
    for (let paying = 0; paying < 5; paying++) await world.buy(world.buyer(), ecash());
    expect(pending()).toBe(0);
    expect(await reasonOf(world.buy(world.buyer(), ecash()))).toBe("no-ip-available");
    expect(await reasonOf(world.invoice(world.buyer(), { client: someone() }))).toBe("no-ip-available");
    world.node.settle(unpaid.paymentHash);
    expect(await reasonOf(world.run.lnurl.config(unpaid.paymentHash, unpaid.preimage))).toBe(
      "tunnel-unavailable",
    );
    expect(world.run.sales.owedWithoutSession()).toBe(1);
  });

  it("that were paid with the pool full are served first when an address is free", async () => {
    await inWorld("10.9.0.0/30");
    const unpaid = await world.invoice(world.buyer());
    const tenant = world.buyer();
    await world.buy(tenant, ecash());
    world.node.settle(unpaid.paymentHash);
    await world.run.payments.recover();
    for (const seconds of [86_400, 301]) {
      world.pass(seconds);
      await world.run.keeper.tick();
    }
    expect(await reasonOf(world.buy(world.buyer(), ecash()))).toBe("no-ip-available");
    await world.sweep();
    const { expiresAt } = await world.run.lnurl.config(unpaid.paymentHash, unpaid.preimage);
    expect(expiresAt).toBe(world.time.seconds + 86_400);
  });

  it("of one client hold two addresses at most; renewals and other clients are not counted", async () => {
    await inWorld("10.9.0.0/24");
    const [one, two] = [await world.invoice(world.buyer()), await world.invoice(world.buyer())];
    expect(await reasonOf(world.invoice(world.buyer()))).toBe("rate-limited");
    await world.invoice(world.buyer(), { client: someone() });
    world.node.settle(one.paymentHash);
    await world.run.lnurl.config(one.paymentHash, one.preimage);
    await world.invoice(world.buyer());
    expect(await reasonOf(world.invoice(world.buyer()))).toBe("rate-limited");
    world.node.settle(two.paymentHash);
  });

  it("of one key are five at most", async () => {
    await inWorld();
    const buyer = world.buyer();
    for (let day = 1; day <= 5; day++) await world.invoice(buyer, { amount: `${day}00000` });
    expect(await reasonOf(world.invoice(buyer, { amount: "600000" }))).toBe("rate-limited");
    await world.invoice(buyer, { amount: "500000" });
  });

  it("keep an address that a payer of the same key needs too", async () => {
    await inWorld("10.9.0.0/30");
    const buyer = world.buyer();
    const { paymentHash } = await world.invoice(buyer);
    const bought = await world.buy(buyer, ecash());
    world.pass(INVOICE_SECONDS + 120);
    await world.run.payments.poll();
    expect(world.run.invoices.find(paymentHash)?.sale.state).toBe("lapsed");
    await world.run.keeper.tick();
    expect(await world.peerAt(addressIn(bought))).toBe(buyer.publicKey);
  });
});
