import { afterEach, describe, expect, it } from "vitest";
import { buildPurchaseComment } from "../protocol/purchase-comment.ts";
import { openSuccessAction, readConfigViewerUrl } from "../protocol/success-action.ts";
import type { InvoiceAnswer } from "../sales/lightning/lnurl-request.ts";
import { createBuyer, findListings } from "../testing/buyer.ts";
import { eventually } from "../testing/eventually.ts";
import { type NodeKind, type OwnedNode, startOwnedNode } from "../testing/lightning/owned-node.ts";
import { createOperator, type LightningSettings, type Operator } from "../testing/operator.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { requestFromWallet, type WalletInvoice } from "../testing/wallet.ts";

const DAY = { amount: 100, currency: "sat", unit: "day" } as const;
const DAY_SECONDS = 86_400;

interface Market {
  relay: TestRelay;
  node: OwnedNode;
  operator: Operator;
}

const opened: Market[] = [];
afterEach(async () => {
  for (const { relay, node, operator } of opened.splice(0)) {
    await operator.destroy();
    await node.close();
    await relay.stop();
  }
});

async function openMarket(kind: NodeKind, more: Partial<LightningSettings> = {}): Promise<Market> {
  const relay = await startRelay();
  const node = await startOwnedNode(kind);
  const operator = await createOperator({ relays: [relay.url], mints: [], cashuEnabled: false });
  operator.writeConfig({ lightning: { ...node.settings(operator.folder), ...more } });
  const market = { relay, node, operator };
  opened.push(market);
  await operator.start();
  return market;
}

function askForDay({ operator }: Market, clientKey: string): Promise<WalletInvoice> {
  return requestFromWallet(`${operator.url}/lnurlp?p=day`, DAY.amount, clientKey);
}

interface Claimed {
  config: string;
  expiresAt: number;
}

/** Asks with the preimage until the tunnel is up. */
async function claim(
  { operator }: Market,
  { paymentHash }: WalletInvoice,
  preimage: string,
): Promise<Claimed> {
  let claimed: Claimed | undefined;
  await eventually(async () => {
    const response = await fetch(`${operator.url}/lnurlp/config/${paymentHash}`, {
      headers: { authorization: `Preimage ${preimage}` },
    }).catch(() => undefined);
    if (response?.status !== 200) return false;
    const { config, expires_at } = (await response.json()) as { config: string; expires_at: number };
    claimed = { config, expiresAt: expires_at };
    return true;
  }, 20_000);
  if (!claimed) throw new Error("not claimed");
  return claimed;
}

async function listedMethods({ relay }: Market): Promise<string[]> {
  const [found] = await findListings(relay.url);
  return found?.listing.paymentMethods.map(({ type }) => type) ?? [];
}

const now = () => Math.floor(Date.now() / 1000);

describe.each(["phoenixd", "lnd"] as const)("over %s", (kind) => {
  it("a wallet that knows nothing of us buys a day: invoice, payment, link, tunnel", async () => {
    const market = await openMarket(kind);
    const { publicKey } = createBuyer().wireguard;
    const invoice = await askForDay(market, publicKey);
    expect(await invoice.settled()).toBeUndefined();
    market.node.pay(invoice.paymentHash);
    const preimage = await invoice.waitUntilSettled();
    const { config, expiresAt } = await claim(market, invoice, preimage);
    expect(Math.abs(expiresAt - now() - DAY_SECONDS)).toBeLessThan(30);
    const link = readConfigViewerUrl(invoice.decipher(preimage) ?? "");
    const lineOf = (conf: string | undefined) => /^Address = .*$/m.exec(conf ?? "")?.[0];
    expect(link?.preimage).toBe(preimage);
    expect(lineOf(link?.conf)).toBe(lineOf(config));
    expect(link?.conf).toContain(
      `# claim: https://${market.operator.publicHost}/lnurlp/config/${invoice.paymentHash}`,
    );
    expect(market.operator.events("purchase-granted")).toMatchObject([
      { method: "lightning", amountSat: 100 },
    ]);
  });

  it("paid while the daemon was killed, and told of twice: one tunnel, with its full time", async () => {
    const market = await openMarket(kind);
    const { operator, node } = market;
    const buyer = createBuyer();
    const first = await askForDay(market, buyer.wireguard.publicKey);
    const second = await requestFromWallet(`${operator.url}/lnurlp`, 10, createBuyer().wireguard.publicKey);
    node.pay(second.paymentHash);
    await second.waitUntilSettled();
    await operator.kill();
    node.pay(first.paymentHash);
    await operator.start();
    const preimage = await first.waitUntilSettled();
    const { expiresAt } = await claim(market, first, preimage);
    node.repeatEvent(first.paymentHash);
    node.repeatEvent(second.paymentHash);
    await operator.stop();
    await operator.start();
    expect((await claim(market, first, preimage)).expiresAt).toBe(expiresAt);
    expect(operator.events("purchase-granted")).toHaveLength(2);
  });

  it("that goes away leaves the listing, and comes back into it", async () => {
    const market = await openMarket(kind);
    const status = async () => (await findListings(market.relay.url))[0]?.listing.status;
    await eventually(async () => (await listedMethods(market)).includes("lightning"));
    expect(await status()).toBe("active");
    await market.node.down();
    await market.operator.waitForEvent("node-trouble", 30_000);
    const refused = askForDay(market, createBuyer().wireguard.publicKey);
    await expect(refused).rejects.toMatchObject({ status: 503, reason: "tunnel-unavailable" });
    await market.node.up();
    await market.operator.waitForEvent("node-well", 30_000);
    await askForDay(market, createBuyer().wireguard.publicKey);
  });

  it("leaves no preimage, invoice or key in the log", async () => {
    const market = await openMarket(kind);
    const { publicKey } = createBuyer().wireguard;
    const invoice = await askForDay(market, publicKey);
    market.node.pay(invoice.paymentHash);
    const preimage = await invoice.waitUntilSettled();
    await claim(market, invoice, preimage);
    const said = market.operator.output();
    for (const secret of [publicKey, preimage, invoice.paymentHash, "lnbc", "a password"]) {
      expect(said).not.toContain(secret);
    }
  });
});

it("a client of the marketplace's first spec opens the .conf itself", async () => {
  const market = await openMarket("phoenixd", { successAction: "v1" });
  const { operator, node } = market;
  const comment = buildPurchaseComment({
    listing: `30402:${operator.pubkey}:${operator.dTag}`,
    price: DAY,
    protocol: "wireguard",
    clientPubkey: createBuyer().wireguard.publicKey,
  });
  const query = new URLSearchParams({ amount: "100000", comment });
  const answer = (await (await fetch(`${operator.url}/lnurlp/callback?${query}`)).json()) as InvoiceAnswer;
  const paymentHash = answer.verify.split("/").at(-1) ?? "";
  node.pay(paymentHash);
  let preimage = "";
  await eventually(async () => {
    const verified = await (await fetch(`${operator.url}/lnurlp/verify/${paymentHash}`)).json();
    preimage = (verified as { preimage: string | null }).preimage ?? "";
    return preimage !== "";
  });
  expect(answer.successAction.cipher).toBe("aes-256-gcm");
  expect(openSuccessAction(answer.successAction, preimage)).toMatch(/^\[Interface\]$/m);
});
