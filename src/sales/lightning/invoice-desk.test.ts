import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { descriptionHash } from "../../protocol/lnurl.ts";
import type { Price } from "../../protocol/price.ts";
import { buildPurchaseComment } from "../../protocol/purchase-comment.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { openSuccessAction, readConfigViewerUrl } from "../../protocol/success-action.ts";
import { eventually } from "../../testing/eventually.ts";
import { INVOICE_SECONDS } from "../../testing/lightning-till.ts";
import { type Buyer, createWorld, DAY, reasonOf, type World } from "../../testing/sales-world.ts";

const day: Price = { amount: 100, currency: "sat", unit: "day" };
const gib: Price = { amount: 50, currency: "SAT", unit: "GiB" };
const euro: Price = { amount: 1, currency: "EUR", unit: "week" };

let world: World;
beforeEach(async () => {
  world = await createWorld({ prices: [day, euro, gib] });
});
afterEach(async () => {
  expect(world.node.violations).toEqual([]);
  await world.close();
});

const states = () =>
  world.all<{ state: string }>("SELECT state FROM sales ORDER BY rowid").map(({ state }) => state);
const order = (buyer: Buyer, odd: object = {}) =>
  buildPurchaseComment({
    listing: world.run.coordinate,
    price: day,
    protocol: "wireguard",
    clientPubkey: buyer.publicKey,
    ...odd,
  });

describe("an answer", () => {
  it("opens with the preimage to the viewer's URL, which holds the .conf and the preimage", async () => {
    const { answer, preimage, paymentHash } = await world.invoice(world.buyer());
    expect(answer).toMatchObject({
      routes: [],
      verify: `https://vpn.test/lnurlp/verify/${paymentHash}`,
      successAction: { tag: "aes", cipher: "aes-256-cbc" },
    });
    const view = readConfigViewerUrl(openSuccessAction(answer.successAction, preimage) ?? "");
    expect(view?.preimage).toBe(preimage);
    const [session] = world.all<{ assigned_ip: string }>("SELECT assigned_ip FROM sessions");
    expect(view?.conf).toContain(`Address = ${session?.assigned_ip}/32`);
    expect(view?.conf).toContain(`# claim: https://vpn.test/lnurlp/config/${paymentHash}`);
    expect(openSuccessAction(answer.successAction, "00".repeat(32))).not.toBe(view?.conf);
  });

  it("opens with the node's own preimage where that chooses it", async () => {
    world.node.habits.choosesPreimage = true;
    const { answer, preimage, paymentHash } = await world.invoice(world.buyer());
    expect(answer.pr).toBe(`lnbcrt1${paymentHash}`);
    expect(openSuccessAction(answer.successAction, preimage)).toContain("/config-viewer#");
  });

  it("of which the invoice commits to the metadata of the tier that p names, whichever is bought", async () => {
    const hashes = () => world.all<{ hash: string }>("SELECT description_hash AS hash FROM invoices");
    const buyer = world.buyer();
    await world.invoice(buyer, { tier: "GiB", amount: "100000", comment: order(buyer) });
    await world.invoice(buyer, { tier: "day", amount: "100000", comment: order(buyer) });
    const metadata = ["GiB", "day"].map((p) => world.run.lnurl.payRequest(p).metadata);
    expect(new Set(hashes().map(({ hash }) => hash))).toEqual(new Set(metadata.map(descriptionHash)));
    expect(world.all("SELECT DISTINCT bought_seconds FROM sales")).toEqual([{ bought_seconds: DAY }]);
  });

  it.each([
    ["lud10", "a bare key", undefined, "aes-256-cbc"],
    ["lud10", "an order", {}, "aes-256-cbc"],
    ["lud10", "an order for CBC", { cipher: "aes-256-cbc" }, "aes-256-cbc"],
    ["lud10", "an order for GCM", { cipher: "aes-256-gcm" }, "aes-256-gcm"],
    ["v1", "a bare key", undefined, "aes-256-cbc"],
    ["v1", "an order", {}, "aes-256-gcm"],
    ["v1", "an order for CBC", { cipher: "aes-256-cbc" }, "aes-256-cbc"],
    ["v1", "an order for GCM", { cipher: "aes-256-gcm" }, "aes-256-gcm"],
  ] as const)("with %s set and %s is sealed in its own form", async (setting, _, odd, cipher) => {
    world.settings.successAction = setting;
    await world.restart();
    const buyer = world.buyer();
    const { answer, preimage } = await world.invoice(buyer, odd ? { comment: order(buyer, odd) } : {});
    expect(answer.successAction.cipher).toBe(cipher);
    const plaintext = openSuccessAction(answer.successAction, preimage);
    expect(plaintext?.startsWith("https://")).toBe(cipher === "aes-256-cbc");
  });
});

describe("a refusal comes before the node is asked", () => {
  const bare = (odd: object) => () => world.invoice(world.buyer(), odd);
  const ordered = (odd: object) => () => {
    const buyer = world.buyer();
    return world.invoice(buyer, { comment: order(buyer, odd) });
  };

  it.each([
    ["bad-request", "no amount", bare({ amount: undefined })],
    ["bad-request", "amount 0", bare({ amount: "0" })],
    ["bad-request", "an amount in exponents", bare({ amount: "1e5" })],
    ["bad-request", "an amount beyond all integers", bare({ amount: "9".repeat(16) })],
    ["amount-mismatch", "less than a unit", bare({ amount: "99999" })],
    ["above-max-purchase", "more than ten years", bare({ amount: "900000000000000" })],
    ["no-client-pubkey", "no comment", bare({ comment: undefined })],
    ["bad-request", "a comment that is no key", bare({ comment: "hello" })],
    ["bad-price", "an unknown tier", bare({ tier: "month" })],
    ["no-sat-tier", "a tier in another currency", bare({ tier: "week" })],
    ["no-sat-tier", "an order for one", ordered({ price: euro })],
    ["unknown-listing", "another listing", ordered({ listing: "30402:00:vpn" })],
    ["price-mismatch", "a price that is not on offer", ordered({ price: { ...day, amount: 99 } })],
    ["unsupported-protocol", "another protocol", ordered({ protocol: "openvpn" })],
  ])("%s: %s", async (reason, _, ask) => {
    expect(await reasonOf(ask())).toBe(reason);
    expect([world.node.calls.makeInvoice, states()]).toEqual([0, []]);
  });

  it("amount-mismatch: a part of a sat, where the node takes whole ones only", async () => {
    world.node.habits.stepMsat = 1000;
    await world.restart();
    expect(await reasonOf(world.invoice(world.buyer(), { amount: "100500" }))).toBe("amount-mismatch");
    await world.invoice(world.buyer(), { amount: "101000" });
  });

  it("bad-request: the server's own key", async () => {
    const { publicKey } = await world.wireguard.look();
    expect(await reasonOf(world.invoice(world.buyer(), { comment: publicKey }))).toBe("bad-request");
  });

  it("tunnel-unavailable: the node has trouble, the interface, or sales are closed; renewals go through", async () => {
    const customer = world.buyer();
    await world.buy(customer, world.mint.issue([100]));
    world.settings.closed = "sales are paused";
    expect(await reasonOf(world.invoice(world.buyer()))).toBe("tunnel-unavailable");
    await world.invoice(customer);
    world.settings.closed = undefined;
    world.node.habits.trouble = "it is locked";
    await world.run.watch.refresh();
    expect(await reasonOf(world.invoice(customer))).toBe("tunnel-unavailable");
    world.node.habits.trouble = undefined;
    await world.run.watch.refresh();
    world.wireguard.takeDown();
    await world.run.keeper.tick();
    expect(await reasonOf(world.invoice(customer, { amount: "200000" }))).toBe("tunnel-unavailable");
    expect(world.node.calls.makeInvoice).toBe(1);
  });

  it("tunnel-unavailable: the book cannot be written", async () => {
    world.run.book.pragma("query_only = ON");
    expect(await reasonOf(world.invoice(world.buyer()))).toBe("tunnel-unavailable");
    expect(world.node.calls.makeInvoice).toBe(0);
    world.run.book.pragma("query_only = OFF");
    await world.invoice(world.buyer());
  });

  it("tunnel-unavailable: a key that has only asked for an invoice is no customer yet", async () => {
    const buyer = world.buyer();
    await world.invoice(buyer);
    world.settings.closed = "sales are paused";
    expect(await reasonOf(world.invoice(buyer, { amount: "200000" }))).toBe("tunnel-unavailable");
  });

  it("rate-limited: a stranger who asks too often, and never a customer", async () => {
    const limited = {
      countStranger: () => {
        throw new Refusal("rate-limited", "too often");
      },
    };
    const customer = world.buyer();
    await world.buy(customer, world.mint.issue([100]));
    expect(await reasonOf(world.invoice(world.buyer(), limited))).toBe("rate-limited");
    await world.invoice(customer, limited);
    const buyer = world.buyer();
    await world.invoice(buyer);
    await world.invoice(buyer, limited);
    expect(await reasonOf(world.invoice(buyer, { ...limited, amount: "200000" }))).toBe("rate-limited");
  });
});

describe("a node that fails while it is asked", () => {
  it("costs the buyer nothing, and the same request works once it answers", async () => {
    const buyer = world.buyer();
    world.node.habits.silent = true;
    const refused = await world.invoice(buyer).catch((error: unknown) => error);
    expect(refused).toMatchObject({ reason: "tunnel-unavailable", retryAfterSeconds: 30 });
    world.node.habits.silent = false;
    await world.invoice(buyer);
    expect(states()).toEqual(["lapsed", "invoiced"]);
  });

  it("is not asked for more than eight at once; thirty-two wait, the others are told to come again", async () => {
    const release = world.node.holdInvoices();
    const asked = Array.from({ length: 45 }, (_, index) =>
      reasonOf(world.invoice(world.buyer(), { client: `client ${index}` })),
    );
    await eventually(() => world.node.calls.makeInvoice === 8);
    release();
    const outcomes = await Promise.all(asked);
    expect(outcomes.filter((outcome) => outcome === "served")).toHaveLength(40);
    expect(outcomes.filter((outcome) => outcome === "rate-limited")).toHaveLength(5);
  });
});

describe("open invoices", () => {
  /** As many as are named, of strangers, and open until `expiresAt`. */
  const fill = (count: number, expiresAt: number) =>
    world.run.book.exec(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
        INSERT INTO sales (sale_id, state, method, face_sat, fee_sat, price_amount, price_currency, price_unit,
          bought_seconds, bought_bytes, listing_d_tag, buyer_hash, key_hash, client_key, created_at)
        SELECT 'sale ' || i || ' ${expiresAt}', 'invoiced', 'lightning', 100, 0, 100, 'sat', 'day', 86400, 0, 'vpn', '',
          'key ' || i, 'key', 0 FROM n;
      INSERT INTO invoices (sale_id, payment_hash, expires_at)
        SELECT sale_id, sale_id, ${expiresAt} FROM sales WHERE sale_id NOT IN (SELECT sale_id FROM invoices)`);

  it("are a thousand at most; who has a tunnel may renew it all the same", async () => {
    const customer = world.buyer();
    await world.buy(customer, world.mint.issue([100]));
    fill(999, world.time.seconds + 1);
    await world.invoice(world.buyer());
    expect(await reasonOf(world.invoice(world.buyer()))).toBe("rate-limited");
    await world.invoice(customer);
    world.pass(1);
    await world.invoice(world.buyer());
  });

  it("of which the node does not say that they are over are three thousand at most", async () => {
    fill(2999, world.time.seconds);
    await world.invoice(world.buyer());
    expect(await reasonOf(world.invoice(world.buyer()))).toBe("rate-limited");
  });

  it("of one key are five at most, those counted that the node is still asked for", async () => {
    const buyer = world.buyer();
    const release = world.node.holdInvoices();
    const asked = Array.from({ length: 7 }, (_, day) =>
      reasonOf(world.invoice(buyer, { amount: `${day + 1}00000` })),
    );
    await eventually(() => world.node.calls.makeInvoice === 5);
    release();
    expect((await Promise.all(asked)).sort()).toEqual([
      ...Array(2).fill("rate-limited"),
      ...Array(5).fill("served"),
    ]);
    world.pass(INVOICE_SECONDS);
    await world.invoice(buyer, { amount: "900000" });
  });
});
