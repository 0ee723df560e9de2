import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createBuyer } from "../testing/buyer.ts";
import { readBook } from "../testing/chaos/book-reader.ts";
import { buildMortalDaemon, type Life, startLife } from "../testing/chaos/mortal-daemon.ts";
import { eventually } from "../testing/eventually.ts";
import { type PhoenixdServer, startPhoenixdServer } from "../testing/lightning/phoenixd-server.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { requestFromWallet, type WalletInvoice } from "../testing/wallet.ts";

const DAY_SAT = 100;
const DAY_SECONDS = 86_400;

let relay: TestRelay;
let node: PhoenixdServer;
let operator: Operator;
let life: Life | undefined;

beforeAll(buildMortalDaemon);
afterEach(async () => {
  life?.kill();
  await life?.ended;
  life = undefined;
  await operator.destroy();
  await node.close();
  await relay.stop();
});

async function openMarket(invoiceSeconds: number): Promise<void> {
  relay = await startRelay();
  node = await startPhoenixdServer({ password: "a password" });
  operator = await createOperator({
    relays: [relay.url],
    mints: [],
    cashuEnabled: false,
    lightning: {
      backend: "phoenixd",
      baseUrl: node.url,
      apiToken: "a password",
      invoiceSeconds,
      invoiceGraceSeconds: 1,
    },
  });
}

/** Started with this boundary to die at, or, once it has died, without. */
async function live(killAt?: string): Promise<void> {
  life = startLife(operator.configPath, killAt);
  await life.listening;
}

async function liveOn(): Promise<void> {
  if (life?.isOver()) await live();
}

/** A wallet that asks until it has an invoice. */
async function invoiceFor(clientKey: string): Promise<WalletInvoice> {
  let invoice: WalletInvoice | undefined;
  await eventually(async () => {
    await liveOn();
    invoice = await requestFromWallet(`${operator.url}/lnurlp?p=day`, DAY_SAT, clientKey).catch(
      () => undefined,
    );
    return invoice !== undefined;
  }, 20_000);
  if (!invoice) throw new Error("no invoice");
  return invoice;
}

async function preimageOf(invoice: WalletInvoice): Promise<string> {
  let preimage: string | undefined;
  await eventually(async () => {
    await liveOn();
    preimage = await invoice.settled().catch(() => undefined);
    return preimage !== undefined;
  }, 20_000);
  return preimage ?? "";
}

/** A buyer who asks until his tunnel is there. Answers by its end. */
async function claim({ paymentHash }: WalletInvoice, preimage: string): Promise<number> {
  let expiresAt = 0;
  await eventually(async () => {
    await liveOn();
    const response = await fetch(`${operator.url}/lnurlp/config/${paymentHash}`, {
      headers: { authorization: `Preimage ${preimage}` },
    }).catch(() => undefined);
    if (response?.status !== 200) return false;
    expiresAt = ((await response.json()) as { expires_at: number }).expires_at;
    return true;
  }, 20_000);
  return expiresAt;
}

/** Every paid invoice has its tunnel, once, for what was paid, and nothing is left over. */
function expectOneTunnel(clientKey: string, expiresAt: number): void {
  const { sales, sessions } = readBook(operator.databasePath);
  const granted = sales.filter(({ state }) => state === "granted");
  expect(granted).toHaveLength(node.invoices().filter(({ completedAt }) => completedAt !== undefined).length);
  expect(granted).toHaveLength(1);
  expect(expiresAt).toBe((granted[0]?.grantedAt ?? 0) + DAY_SECONDS);
  expect(sessions.filter(({ publicKey }) => publicKey === clientKey)).toMatchObject([{ status: "active" }]);
}

describe("a buyer over Lightning, whose operator's daemon is killed", () => {
  it.each([
    "invoice-opened",
    "invoice-unwritten",
    "invoice-written",
    "within-payment",
    "payment-written",
    "session-attached",
    "peer-unadmitted",
    "peer-admitted",
    "within-granted",
    "sale-granted",
  ])("at %s, has what he paid for, once", async (boundary) => {
    await openMarket(600);
    const { publicKey } = createBuyer().wireguard;
    await live(boundary);
    const first = life;
    const invoice = await invoiceFor(publicKey);
    node.pay(invoice.paymentHash);
    const preimage = await preimageOf(invoice);
    const expiresAt = await claim(invoice, preimage);
    expect(first?.killedAt()).toBe(boundary);
    expectOneTunnel(publicKey, expiresAt);
  });

  it("while an invoice lapses, leaves the address free and the invoice payable", async () => {
    await openMarket(1);
    const { publicKey } = createBuyer().wireguard;
    await live("within-lapsed");
    const first = life;
    const invoice = await invoiceFor(publicKey);
    await eventually(() => first?.isOver() === true, 20_000);
    expect(first?.killedAt()).toBe("within-lapsed");
    await live();
    await eventually(() => readBook(operator.databasePath).sessions.length === 0, 20_000);
    expect(readBook(operator.databasePath).sales).toMatchObject([{ state: "lapsed" }]);
    expect(await invoice.settled()).toBeUndefined();
  });
});
