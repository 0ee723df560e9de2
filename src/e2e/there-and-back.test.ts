import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { afterEach, expect, it } from "vitest";
import { type Answer, type Buyer, createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { eventually } from "../testing/eventually.ts";
import { startMint } from "../testing/mint.ts";
import { oldConfig } from "../testing/old-config.ts";
import { buildOldDatabase, type OldRow } from "../testing/old-database.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { startRelay } from "../testing/relay.ts";
import { soldTunnel } from "../testing/tunnel-market.ts";

const DAY = 86_400;
const GIB = 2 ** 30;
const NOW = Math.floor(Date.now() / 1000);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const oldRow = (session_id: string, { wireguard }: Buyer, last: number, more: Partial<OldRow>): OldRow => ({
  session_id,
  client_identity: wireguard.publicKey,
  assigned_ip: `10.66.42.${last}`,
  status: "active",
  purchased_at: NOW - DAY,
  ...more,
});

/** The columns of `sessions` in their order, as the known daemon made them. */
const COLUMNS = [
  ...["session_id", "protocol", "client_identity", "assigned_ip", "purchased_at", "expires_at"],
  ...[
    "data_quota_bytes",
    "data_used_bytes",
    "price_amount",
    "price_currency",
    "price_unit",
    "payment_method",
  ],
  ...["status", "last_rx_counter", "last_tx_counter", "payment_hash", "listing_d_tag"],
];

interface Row {
  session_id: string;
  client_identity: string;
  assigned_ip: string;
  purchased_at: number;
  expires_at: number | null;
  status: string;
  [column: string]: unknown;
}

/** The file as the known daemon opens it: no table but its own, no right that ours would give it. */
function asOldDaemon<T>({ databasePath }: Operator, use: (db: Database.Database) => T): T {
  const db = new Database(databasePath, { fileMustExist: true });
  try {
    return use(db);
  } finally {
    db.close();
  }
}

const rowsOf = (operator: Operator) =>
  asOldDaemon(operator, (db) => db.prepare<[], Row>("SELECT * FROM sessions").all());

const rowOf = (operator: Operator, buyer: Buyer) =>
  rowsOf(operator).find((row) => row.client_identity === buyer.wireguard.publicKey);

async function openMarket(rows: readonly OldRow[]) {
  const relay = await startRelay();
  closing.push(() => relay.stop());
  const mint = await startMint();
  closing.push(() => mint.stop());
  const operator = await createOperator({ relays: [relay.url], mints: [mint.url] });
  closing.push(() => operator.destroy());
  writeFileSync(operator.configPath, oldConfig(operator, relay.url, mint.url));
  mkdirSync(dirname(operator.databasePath), { recursive: true });
  buildOldDatabase(operator.databasePath, rows);
  const { url, publicHost, dTag, pubkey: operatorPubkey } = operator;
  return {
    operator,
    /** A purchase of one day, to be sent as often as one likes. */
    async prepare(buyer: Buyer): Promise<() => Promise<Answer>> {
      const { token } = await mintToken({
        mintUrl: mint.url,
        amountSat: 100,
        lock: { pubkey: operator.p2pk },
      });
      const price = { amount: 100, currency: "sat", unit: "day" } as const;
      return () => buyer.purchase({ url, publicHost, operatorPubkey, dTag, price, token });
    },
  };
}

it("an old config and database serve, go back to the known daemon true, and come again with what it did", async () => {
  const [timed, metered, leaving] = [createBuyer(), createBuyer(), createBuyer()];
  const { operator, prepare } = await openMarket([
    oldRow("timed", timed, 2, { expires_at: NOW + DAY }),
    oldRow("metered", metered, 3, {
      expires_at: NOW + 20 * DAY,
      data_quota_bytes: GIB,
      data_used_bytes: 1_000,
    }),
    oldRow("leaving", leaving, 4, { expires_at: NOW + 5 * DAY }),
    oldRow("gone", createBuyer(), 5, { status: "expired", expires_at: NOW - 9 * DAY }),
  ]);

  await operator.start();
  expect(await (await fetch(`${operator.url}/health`)).json()).toMatchObject({ ok: true });
  await operator.waitForEvent("listing-published");
  const stranger = createBuyer();
  const strangers = await prepare(stranger);
  const sold = soldTunnel(stranger, await strangers());
  const renewal = await prepare(timed);
  expect(soldTunnel(timed, await renewal()).expiresAt).toBe(NOW + 2 * DAY);
  expect(await operator.stop()).toBe(0);

  // What the known daemon finds.
  asOldDaemon(operator, (db) => {
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(db.pragma("user_version", { simple: true })).toBe(7);
    const columns = db.prepare<[], { name: string }>("SELECT name FROM pragma_table_info('sessions')").all();
    expect(columns.map(({ name }) => name)).toEqual(COLUMNS);
    const refused = () =>
      db
        .prepare(`INSERT INTO sessions (session_id, assigned_ip, status) VALUES ('x', ?, 'pending')`)
        .run(sold.address);
    expect(refused).toThrow("UNIQUE");
  });
  const found = rowsOf(operator);
  const statuses = found.map((row) => row.status).sort();
  expect(statuses).toEqual(["active", "active", "active", "active", "expired"]);
  expect(rowOf(operator, timed)).toMatchObject({ expires_at: NOW + 2 * DAY, assigned_ip: "10.66.42.2" });
  expect(rowOf(operator, metered)).toMatchObject({
    expires_at: NOW + 20 * DAY,
    data_quota_bytes: GIB,
    data_used_bytes: 1_000,
  });
  const strangersRow = rowOf(operator, stranger);
  expect(strangersRow).toMatchObject({
    protocol: "wireguard",
    assigned_ip: sold.address,
    expires_at: sold.expiresAt,
    data_quota_bytes: null,
    data_used_bytes: 0,
    price_amount: 100,
    price_currency: "sat",
    price_unit: "day",
    payment_method: "cashu",
    status: "active",
    payment_hash: null,
    listing_d_tag: operator.dTag,
  });

  // What it does there: sells to a new buyer, renews ours, charges data, ends one.
  const newcomer = createBuyer();
  asOldDaemon(operator, (db) => {
    db.prepare(
      `INSERT INTO sessions VALUES ('newcomer', 'wireguard', ?, '10.66.42.77', ?, ?, NULL, 0, 100, 'sat', 'day', 'cashu',
         'active', 0, 0, NULL, ?)`,
    ).run(newcomer.wireguard.publicKey, NOW, NOW + 7 * DAY, operator.dTag);
    db.prepare("UPDATE sessions SET expires_at = expires_at + ? WHERE client_identity = ?").run(
      3 * DAY,
      stranger.wireguard.publicKey,
    );
    db.prepare("UPDATE sessions SET data_used_bytes = 5000 WHERE session_id = 'metered'").run();
    db.prepare("UPDATE sessions SET status = 'expired', expires_at = ? WHERE session_id = 'leaving'").run(
      NOW - 60,
    );
  });

  await operator.start();
  expect(operator.events("reconciled").at(-1)).toMatchObject({ added: 4, rejected: 0 });
  expect(rowOf(operator, newcomer)).toMatchObject({ status: "active", expires_at: NOW + 7 * DAY });
  expect(rowOf(operator, metered)).toMatchObject({ data_used_bytes: 5_000 });
  const again = soldTunnel(stranger, await strangers());
  expect([again.address, again.expiresAt]).toEqual([sold.address, sold.expiresAt + 3 * DAY]);
  const longer = soldTunnel(stranger, await (await prepare(stranger))());
  expect([longer.address, longer.expiresAt]).toEqual([sold.address, sold.expiresAt + 4 * DAY]);
  const newcomers = soldTunnel(newcomer, await (await prepare(newcomer))());
  expect([newcomers.address, newcomers.expiresAt]).toEqual(["10.66.42.77", NOW + 8 * DAY]);
  await eventually(async () => (await operator.command(["books"])).exitCode === 0, 30_000);
});
