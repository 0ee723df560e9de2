import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { buildOldDatabase, type OldRow } from "../../testing/old-database.ts";
import { addressIn, createWorld, DAY, reasonOf, type World } from "../../testing/sales-world.ts";
import { generateWireguardKeys } from "../../testing/wireguard-keys.ts";
import { createOldInvoicesStore } from "./old-invoices-store.ts";

const NOW = 1_800_000_000;
const HOUR = 3600;
const PREIMAGE = "11".repeat(32);
/** SHA-256 of `PREIMAGE`. */
const HASH = "02d449a31fbb267c8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc";

let world: World;
afterEach(() => world.close());

let last = 1;
/** An unpaid invoice for three hours, made an hour ago. */
const pending = (odd: Partial<OldRow> = {}): OldRow => ({
  session_id: `old ${++last}`,
  client_identity: generateWireguardKeys().publicKey,
  assigned_ip: `10.9.0.${last}`,
  status: "pending",
  purchased_at: NOW - HOUR,
  expires_at: NOW + 2 * HOUR,
  payment_hash: HASH,
  ...odd,
});

const inWorld = async (rows: OldRow[], change = "") => {
  world = await createWorld({
    former: (path) => {
      buildOldDatabase(path, []);
      const db = new Database(path);
      db.exec("DROP INDEX uq_payment_hash; DROP INDEX uq_assigned_ip_live");
      db.close();
      insert(path, rows, change);
    },
  });
};

function insert(path: string, rows: OldRow[], change: string): void {
  const db = new Database(path);
  const statement = db.prepare(
    `INSERT INTO sessions VALUES (@session_id, 'wireguard', @client_identity, @assigned_ip, @purchased_at, @expires_at,
       @data_quota_bytes, 0, 100, 'sat', 'hour', 'lightning', @status, NULL, NULL, @payment_hash, 'my-vpn')`,
  );
  for (const row of rows) statement.run({ data_quota_bytes: null, ...row });
  db.exec(change);
  db.close();
}

const adopt = () => createOldInvoicesStore(world.run.book, world.run.claimSecret).adopt(world.time.seconds);
const states = () => world.all("SELECT state FROM sales");
const statuses = () =>
  world.all<{ status: string }>("SELECT status FROM sessions ORDER BY rowid").map(({ status }) => status);

function pay(paymentHash = HASH): string {
  const payment = { paymentHash, reference: undefined, receivedMsat: 300_000, feeMsat: 0 };
  return world.run.invoices.paid("fake", payment, undefined, world.time.seconds).kind;
}

describe("an older daemon's unpaid invoice", () => {
  it("is taken over once, and brings the tunnel that was ordered when it is paid, with its address", async () => {
    last = 1;
    const row = pending();
    await inWorld([row]);
    expect([adopt(), adopt()]).toEqual([1, 0]);
    expect(await world.run.lnurl.verify(HASH)).toEqual({
      status: "OK",
      settled: false,
      preimage: null,
      pr: "",
    });
    expect(pay()).toBe("applied");
    await world.sweep(0);
    const bought = await world.run.lnurl.config(HASH, PREIMAGE);
    expect(bought.expiresAt).toBe(world.time.seconds + 3 * HOUR);
    expect(addressIn(bought)).toBe(row.assigned_ip);
    expect(await world.peerKeys()).toEqual([row.client_identity]);
    await world.restart();
    expect(adopt()).toBe(0);
    expect(pay()).toBe("replayed");
  });

  it("for data buys the data, and more of neither when more is paid", async () => {
    await inWorld([pending({ data_quota_bytes: 5 * 2 ** 30 })]);
    adopt();
    pay();
    await world.sweep(0);
    expect(world.all("SELECT data_quota_bytes FROM sessions")).toEqual([{ data_quota_bytes: 5 * 2 ** 30 }]);
  });

  it("is waited for a day after it was made, and then for the node to say that it is not paid", async () => {
    await inWorld([pending()]);
    adopt();
    world.pass(23 * HOUR);
    await world.run.keeper.tick();
    await world.run.payments.poll();
    expect([states(), statuses()]).toEqual([[{ state: "invoiced" }], ["pending"]]);
    world.pass(120);
    await world.run.payments.poll();
    expect([states(), statuses()]).toEqual([[{ state: "lapsed" }], []]);
    expect(pay()).toBe("applied");
    await world.sweep(0);
    expect(states()).toEqual([{ state: "granted" }]);
  });

  it("older than a day is not taken over, and lapses", async () => {
    await inWorld([pending({ purchased_at: NOW - DAY })]);
    expect(adopt()).toBe(0);
    expect(statuses()).toEqual(["expired"]);
    expect(await reasonOf(world.run.lnurl.verify(HASH))).toBe("not-found");
  });

  it("yields its address to who pays, as every reservation does", async () => {
    await inWorld([pending()]);
    adopt();
    expect(world.run.reservations.yielding(NOW)).toBe(1);
  });

  it("found by its hash in capitals is one with the hash as the node writes it", async () => {
    await inWorld([pending({ payment_hash: HASH.toUpperCase() })]);
    expect(adopt()).toBe(1);
    expect(pay()).toBe("applied");
  });

  it("of one hash there is one: the first that was made", async () => {
    const rows = [
      pending(),
      pending({ purchased_at: NOW - 2 * HOUR }),
      pending({ payment_hash: HASH.toUpperCase() }),
    ];
    await inWorld(rows);
    expect(adopt()).toBe(1);
    expect(adopt()).toBe(0);
    pay();
    await world.sweep(0);
    expect(await world.peerKeys()).toEqual([rows[1]?.client_identity]);
    await world.sweep(DAY);
    expect(statuses().sort()).toEqual(["expired", "expired", "expired"]);
  });

  it("of a hash that we have an invoice for is left to lapse", async () => {
    await inWorld([]);
    const { paymentHash } = await world.invoice(world.buyer());
    world.run.book.exec(
      `INSERT INTO sessions SELECT 'old', protocol, client_identity, '10.9.0.99', purchased_at, purchased_at + 5, NULL, 0,
         price_amount, price_currency, price_unit, payment_method, 'pending', 0, 0, '${paymentHash}', 'x' FROM sessions`,
    );
    expect(adopt()).toBe(0);
  });
});

describe("a row of the old table that holds what it should not", () => {
  it.each([
    ["no key", { client_identity: "nobody" }],
    ["a key in bytes", { client_identity: Buffer.from(generateWireguardKeys().publicKey) }],
    ["no address", { assigned_ip: "somewhere" }],
    ["an address in bytes", { assigned_ip: Buffer.from("10.9.0.77") }],
    ["a hash that is none", { payment_hash: "../".padEnd(64, "x") }],
    ["a short hash", { payment_hash: "ab" }],
    ["no end", { expires_at: null }],
    ["an end in words", { expires_at: "soon" }],
    ["an end beyond all integers", { expires_at: 1e300 }],
    ["an end before its beginning", { expires_at: NOW - DAY }],
    ["a beginning in words", { purchased_at: "yesterday" }],
    ["a beginning far ahead", { purchased_at: NOW + 10 * DAY, expires_at: NOW + 20 * DAY }],
    [
      "a beginning at the end of all integers",
      { purchased_at: 9007199254740991, expires_at: 9007199254740991 },
    ],
    ["too much data", { data_quota_bytes: 1e300 }],
    ["data below nothing", { data_quota_bytes: -5, expires_at: NOW - 2 * HOUR }],
    ["data in words", { data_quota_bytes: "much", expires_at: null }],
  ])("%s: it is no invoice, it stops no start, and its address comes free", async (_, odd) => {
    await inWorld([pending(odd), pending({ payment_hash: "33".repeat(32) })]);
    expect(adopt()).toBe(1);
    await world.sweep(DAY);
    await world.run.payments.poll();
    await world.sweep(0);
    expect(statuses().filter((status) => status === "pending")).toEqual([]);
  });

  it.each([
    ["price_amount", "'dear'"],
    ["price_amount", "NULL"],
    ["price_amount", "9e999"],
    ["price_amount", "-5"],
    ["price_amount", "x'00'"],
    ["price_currency", "NULL"],
    ["price_currency", "x'00ff'"],
    ["price_unit", "NULL"],
    ["price_unit", "'fortnight'"],
    ["price_unit", "x'00ff'"],
    ["listing_d_tag", "NULL"],
    ["listing_d_tag", "x'00ff'"],
  ])("%s %s: it only tells, so the invoice is honoured", async (column, value) => {
    await inWorld([pending()], `UPDATE sessions SET ${column} = ${value}`);
    expect(adopt()).toBe(1);
    pay();
    await world.sweep(0);
    const { expiresAt } = await world.run.lnurl.config(HASH, PREIMAGE);
    expect(expiresAt).toBe(world.time.seconds + 3 * HOUR);
  });
});

describe("a tunnel bought over Lightning from an older daemon", () => {
  it("is one with its renewal, also while that is under way after its end", async () => {
    const row = pending({ status: "active", expires_at: NOW + HOUR });
    await inWorld([row]);
    const tenant = { ...world.buyer(), publicKey: String(row.client_identity) };
    world.pass(HOUR - 60);
    const first = await world.invoice(tenant);
    world.pass(60);
    await world.run.keeper.tick();
    const second = await world.invoice(tenant, { amount: "200000" });
    expect(world.all("SELECT DISTINCT session_id FROM sales")).toEqual([{ session_id: row.session_id }]);
    for (const { paymentHash } of [first, second]) world.node.settle(paymentHash);
    const { expiresAt } = await world.run.lnurl.config(first.paymentHash, first.preimage);
    await world.run.lnurl.config(second.paymentHash, second.preimage);
    expect(expiresAt).toBe(world.time.seconds + DAY);
    expect(statuses()).toEqual(["active"]);
  });
});
