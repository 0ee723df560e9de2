import { afterEach, beforeEach, expect, it } from "vitest";
import { type Buyer, createBuyer } from "../testing/buyer.ts";
import { type MintedToken, mintToken } from "../testing/ecash.ts";
import { eventually } from "../testing/eventually.ts";
import { type Inbox, startInbox } from "../testing/inbox.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";

/** Notes to the operator's own account (NIP-17), read as his client reads them. */

const DAY = { amount: 100, unit: "day" } as const;
const SOLD = "Sold: 100 sat, 100 sat/day, cashu.";

let relay: TestRelay;
let mint: TestMint;
let inbox: Inbox;
let operator: Operator;
const sold: { buyer: Buyer; token: MintedToken; address: string }[] = [];

beforeEach(async () => {
  relay = await startRelay();
  mint = await startMint();
  inbox = await startInbox(relay);
  operator = await createOperator({ relays: [relay.url], mints: [mint.url], more: inbox.toml() });
});

afterEach(async () => {
  await operator.destroy();
  await inbox.stop();
  await mint.stop();
  await relay.stop();
  sold.length = 0;
});

async function sell(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const lock = { pubkey: operator.p2pk };
    const token = await mintToken({ mintUrl: mint.url, amountSat: DAY.amount, lock });
    const buyer = createBuyer();
    const { status, body } = await buyer.purchase(orderAt(operator, DAY, { token: token.token }));
    expect(status).toBe(200);
    sold.push({ buyer, token, address: /^Address = (.+)\/32$/m.exec(body.config ?? "")?.[1] ?? "none" });
  }
}

const withHost = (words: string) => `${operator.publicHost}\n${words}`;
const arrived = (count: number) => eventually(() => inbox.texts().length >= count, 60_000);

it("tells of each sale once, at the inbox alone, with nothing of the buyer; many are told as one", async () => {
  await operator.start();
  await sell(12);
  await arrived(10);
  expect(inbox.texts()).toEqual(Array(10).fill(withHost(SOLD)));
  expect(relay.events().filter(({ kind }) => kind === 1059)).toEqual([]);
  expect(await operator.stop()).toBe(0);
  // Within one second their order cannot be told.
  expect(inbox.texts().filter((text) => text !== withHost(SOLD))).toEqual([
    withHost("Sold in ten minutes: 2 sales, 200 sat.\n- 100 sat/day, cashu: 2 sales, 200 sat"),
  ]);
  expect(inbox.texts()).toHaveLength(11);
  expect(operator.events("notified")).toMatchObject(
    Array.from({ length: 11 }, () => ({ about: "sale", relays: 1, of: 1 })),
  );
  expect(operator.output()).not.toContain("Sold");

  const told = inbox.texts().join("\n");
  for (const { buyer, token, address } of sold) {
    const secrets = [buyer.wireguard.publicKey, address, token.token, ...token.proofs.map((p) => p.secret)];
    for (const secret of secrets) expect(told).not.toContain(secret);
  }
});

it("gives a sign of life at the first start, and not again at the next", async () => {
  operator.writeConfig({ more: inbox.toml(24) });
  await operator.start();
  await arrived(1);
  await sell(1);
  await arrived(2);
  await operator.kill();
  await operator.start();
  await sell(1);
  await arrived(3);
  const [first, ...others] = inbox.texts();
  expect(others).toEqual([withHost(SOLD), withHost(SOLD)]);
  expect(first?.split("\n")).toEqual([
    operator.publicHost,
    "All is well.",
    expect.stringMatching(/^Sales since \d{4}-\d\d-\d\d \d\d:\d\d UTC: none\.$/),
    "Live sessions: 0; free addresses: 253.",
    "Ecash that came in and is not known as spent: none.",
  ]);
});

it("disturbs no sale while no relay takes a note, and sends it when one does", async () => {
  inbox.relay.policy = () => "hang";
  await operator.start();
  await sell(3);
  await operator.waitForEvent("notify-waiting", 60_000);
  await sell(3);
  expect(operator.events("notified")).toEqual([]);
  inbox.relay.policy = () => "accept";
  await eventually(() => inbox.texts().length === 6, 120_000);
  expect(operator.events("job-failed")).toEqual([]);
});

it("is silent when it is not asked for notes", async () => {
  operator.writeConfig({ more: inbox.toml(24).replace("enabled = true", "enabled = false") });
  await operator.start();
  await sell(1);
  expect(await operator.stop()).toBe(0);
  expect([inbox.texts(), operator.events("notified")]).toEqual([[], []]);
});
