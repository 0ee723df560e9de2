import { afterEach, describe, expect, it } from "vitest";
import { openSuccessAction, readConfigViewerUrl } from "../../protocol/success-action.ts";
import { eventually } from "../../testing/eventually.ts";
import { GRACE_SECONDS, INVOICE_SECONDS } from "../../testing/lightning-till.ts";
import {
  addressIn,
  createWorld,
  DAY,
  HOLD_SECONDS,
  reasonOf,
  type World,
} from "../../testing/sales-world.ts";

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
    const others = Array.from({ length: 10 }, () => world.buyer());
    for (const other of others) await world.invoice(other, { client: someone() });
    const holders = world.all<{ key: string }>("SELECT client_identity AS key FROM sessions");
    expect(holders.map(({ key }) => key).sort()).toEqual(
      others
        .slice(-2)
        .map(({ publicKey }) => publicKey)
        .sort(),
    );
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
    await world.run.lnurl.config(two.paymentHash, two.preimage);
    world.pass(INVOICE_SECONDS + GRACE_SECONDS);
    await world.run.payments.poll();
    for (let more = 0; more < 2; more++) await world.invoice(world.buyer());
    expect(await reasonOf(world.invoice(world.buyer()))).toBe("rate-limited");
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

describe("a reservation that yields", () => {
  it("while the node is asked is made again: the buyer is told the address that he has", async () => {
    await inWorld();
    const release = world.node.holdInvoices();
    const buyers = Array.from({ length: 4 }, () => world.buyer());
    const asked = buyers.map((buyer) => world.invoice(buyer, { client: someone() }));
    await eventually(() => world.node.calls.makeInvoice === 4);
    expect(pending()).toBe(2);
    release();
    for (const { answer, preimage, paymentHash } of await Promise.all(asked)) {
      const sealed = openSuccessAction(answer.successAction, preimage) ?? "";
      expect(readConfigViewerUrl(sealed)?.conf).toMatch(/^Address = 10\.9\.0\.\d\/32$/m);
      world.node.settle(paymentHash);
      await world.run.lnurl.config(paymentHash, preimage);
    }
    expect((await world.peerKeys()).sort()).toEqual(buyers.map(({ publicKey }) => publicKey).sort());
  });

  it("to buyers who paid, while the node is asked, is refused: nobody was given the invoice", async () => {
    await inWorld("10.9.0.0/30");
    const release = world.node.holdInvoices();
    const asked = reasonOf(world.invoice(world.buyer()));
    await eventually(() => world.node.calls.makeInvoice === 1);
    await world.buy(world.buyer(), ecash());
    release();
    expect(await asked).toBe("no-ip-available");
    expect(world.all("SELECT state FROM sales WHERE method = 'lightning'")).toEqual([{ state: "lapsed" }]);
  });

  it("is never that of a buyer who has paid, or whose token is at the mint", async () => {
    await inWorld("10.9.0.0/30");
    const [payer, swapper] = [world.buyer(), world.buyer()];
    const yielding = () => world.run.reservations.yielding(world.time.seconds);
    const invoice = await world.invoice(payer);
    await world.invoice(payer, { amount: "200000" });
    expect(yielding()).toBe(1);
    world.wireguard.takeDown();
    world.node.settle(invoice.paymentHash);
    await world.run.payments.recover();
    await world.run.settlement.idle();
    expect(yielding()).toBe(0);
    world.wireguard.bringUp();
    await world.run.keeper.tick();
    expect(await reasonOf(world.buy(swapper, ecash()))).toBe("no-ip-available");
    await world.sweep();
    expect(await world.peerKeys()).toEqual([payer.publicKey]);
    await world.sweep(DAY);
    await world.sweep(HOLD_SECONDS);
    await world.invoice(swapper);
    world.mint.script("swap", "silence");
    world.mint.script("restore", "silence");
    void world.buy(swapper, ecash()).catch(() => undefined);
    await eventually(() => world.all("SELECT 1 FROM sales WHERE state = 'swapping'").length === 1);
    expect(yielding()).toBe(0);
    expect(await reasonOf(world.invoice(world.buyer(), { client: someone() }))).toBe("no-ip-available");
  });
});

describe("a tunnel that ends while an invoice for more is open", () => {
  async function ended(seconds: number) {
    await inWorld("10.9.0.0/30");
    const tenant = world.buyer();
    const { paymentHash, preimage } = await world.invoice(tenant);
    world.node.settle(paymentHash);
    const bought = await world.run.lnurl.config(paymentHash, preimage);
    world.pass(DAY - 60);
    const renewal = await world.invoice(tenant);
    world.pass(60);
    await world.run.keeper.tick();
    expect(await world.peerKeys()).toEqual([]);
    world.pass(seconds);
    await world.run.keeper.tick();
    return { tenant, bought, renewal };
  }

  it("keeps its address for its buyer, who pays and goes on with it", async () => {
    const { tenant, bought, renewal } = await ended(HOLD_SECONDS + 100);
    world.node.settle(renewal.paymentHash);
    const again = await world.run.lnurl.config(renewal.paymentHash, renewal.preimage);
    expect(addressIn(again)).toBe(addressIn(bought));
    expect(again.expiresAt).toBe(world.time.seconds + DAY);
    expect(await world.peerKeys()).toEqual([tenant.publicKey]);
  });

  it("keeps it through the hold also from those who pay at once", async () => {
    await ended(HOLD_SECONDS - 1);
    expect(world.run.vacancy.hasAddress()).toBe(false);
    expect(await reasonOf(world.buy(world.buyer(), ecash()))).toBe("no-ip-available");
  });

  it("yields it after the hold, and is served in line when its invoice is paid all the same", async () => {
    const { renewal } = await ended(HOLD_SECONDS);
    expect(world.run.vacancy.hasAddress()).toBe(true);
    const payer = world.buyer();
    await world.buy(payer, ecash());
    expect(await world.peerKeys()).toEqual([payer.publicKey]);
    world.node.settle(renewal.paymentHash);
    expect(await reasonOf(world.run.lnurl.config(renewal.paymentHash, renewal.preimage))).toBe(
      "tunnel-unavailable",
    );
    expect(world.run.sales.owedWithoutSession()).toBe(1);
  });

  it("cannot be squatted by asking again and again", async () => {
    const { tenant } = await ended(HOLD_SECONDS);
    for (let again = 0; again < 3; again++) {
      world.pass(INVOICE_SECONDS / 2 + 1);
      await world.invoice(tenant);
      await world.run.payments.poll();
    }
    await world.buy(world.buyer(), ecash());
  });

  it("is free again when its invoice lapses", async () => {
    const { tenant } = await ended(HOLD_SECONDS);
    world.pass(INVOICE_SECONDS);
    await world.run.payments.poll();
    expect(world.run.sessions.findByKey(tenant.publicKey, world.time.seconds)).toBeUndefined();
    expect(pending()).toBe(0);
    await world.buy(world.buyer(), ecash());
  });
});

describe("a tunnel that moves to another key while an invoice for the former is open", () => {
  it("goes without it: who pays for a key gets that key's tunnel", async () => {
    await inWorld();
    const [before, after] = [world.buyer(), world.buyer()];
    const owner = { ...after, nostrKey: before.nostrKey };
    const token = ecash();
    await world.buy(before, token);
    const invoice = await world.invoice(before);
    const moved = await world.buy(owner, token);
    expect(await world.peerKeys()).toEqual([after.publicKey]);
    world.node.settle(invoice.paymentHash);
    const bought = await world.run.lnurl.config(invoice.paymentHash, invoice.preimage);
    expect(addressIn(bought)).not.toBe(addressIn(moved));
    expect(await world.peerAt(addressIn(bought))).toBe(before.publicKey);
    expect(await world.peerAt(addressIn(moved))).toBe(after.publicKey);
    expect((await world.buy(owner, token)).expiresAt).toBe(moved.expiresAt);
  });

  it("stays where it is once somebody else has paid for it over Lightning", async () => {
    await inWorld();
    const [before, after] = [world.buyer(), world.buyer()];
    const token = ecash();
    await world.buy(before, token);
    const invoice = await world.invoice(before);
    world.node.settle(invoice.paymentHash);
    await world.run.lnurl.config(invoice.paymentHash, invoice.preimage);
    expect(await reasonOf(world.buy({ ...after, nostrKey: before.nostrKey }, token))).toBe("double-spent");
  });
});
