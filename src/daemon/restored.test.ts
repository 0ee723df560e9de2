import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { COPIED_AT } from "../db/copy-book.ts";
import { createDurability } from "../db/durability.ts";
import { createFacts } from "../db/facts.ts";
import { type Book, openBook } from "../db/open-book.ts";
import { createReservationStore } from "../sales/reservation-store.ts";
import { createSaleStore, type NewSale } from "../sales/sale-store.ts";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";
import { createAddressPool } from "../tunnels/address-pool.ts";
import { createSessionStore } from "../tunnels/session-store.ts";
import { parseSubnet } from "../tunnels/subnet.ts";
import { createPause } from "./pause.ts";
import { takeUpRestored } from "./restored.ts";

const BACKUP_AT = 1_800_000_000;
const DAY = 86_400;

let folder: TempDir;
let book: Book;
let open: ReturnType<typeof stores>;

beforeEach(async () => {
  folder = await makeTempDir();
  book = openBook(join(folder.path, "book.db"));
  open = stores();
});
afterEach(async () => {
  book.close();
  await folder.remove();
});

function stores() {
  const facts = createFacts(book);
  const pool = createAddressPool(book, parseSubnet("10.9.0.0/28"));
  const sessions = createSessionStore(book, pool, 300);
  const sales = createSaleStore(
    book,
    createDurability(book),
    sessions,
    createReservationStore(book, sessions, pool.size),
  );
  return { facts, pool, sessions, sales, pause: createPause(facts, () => undefined) };
}

function start(now: number) {
  return takeUpRestored({ book, ...open, now: () => now, logger: pino({ level: "silent" }) });
}

function opened(): { saleId: string; sessionId: string } {
  const y = `02${"ab".repeat(32)}`;
  const journal = { version: 1 as const, mintUrl: "m", body: "", outputs: [], inputYs: [y], feeSat: 0 };
  const sale: NewSale = {
    mintKey: "m",
    mintUrl: "m",
    faceSat: 100,
    price: { amount: 100, currency: "sat", unit: "day" },
    bought: { seconds: 10 * DAY, bytes: 0 },
    dTag: "vpn",
    buyerHash: "b",
    keyHash: "k",
    clientKey: generateWireguardKeys().publicKey,
    ys: [y],
    journal,
  };
  const made = open.sales.open(sale, BACKUP_AT - 5);
  if (made.kind !== "opened") throw new Error(made.kind);
  return { saleId: made.saleId, sessionId: open.sales.mustFind(made.saleId).sessionId ?? "" };
}

it("a book that was never restored starts as ever", () => {
  const restored = start(BACKUP_AT);
  expect(restored).toMatchObject({ backupAt: undefined, isFirstStart: false });
  expect(restored.walletUnread()).toBe(false);
  expect(open.pause.cause()).toBeUndefined();
});

it("is paused once, not again at each start", () => {
  open.facts.set(COPIED_AT, String(BACKUP_AT));
  expect(start(BACKUP_AT + DAY)).toMatchObject({ backupAt: BACKUP_AT, isFirstStart: true });
  expect(open.pause.cause()).toBe("restored");
  open.pause.resume();
  const again = start(BACKUP_AT + 2 * DAY);
  expect(again).toMatchObject({ backupAt: BACKUP_AT, startedAt: BACKUP_AT + DAY, isFirstStart: false });
  expect(open.pause.cause()).toBeUndefined();
  expect(again.walletUnread()).toBe(true);
  again.walletRead();
  expect(start(BACKUP_AT + 3 * DAY).walletUnread()).toBe(false);
});

it("hands out last what the lost book would have handed out next", () => {
  const size = open.pool.size;
  const lost = Array.from({ length: size }, (_, n) => open.pool.take(BACKUP_AT + n));
  book.exec("UPDATE pool_addresses SET last_used_at = 0");
  open.facts.set(COPIED_AT, String(BACKUP_AT));
  start(BACKUP_AT + DAY);
  const given = Array.from({ length: size }, (_, n) => open.pool.take(BACKUP_AT + DAY + 1 + n));
  expect(given).toEqual(lost.reverse());
});

it("what was open in the backup counts from then, what is sold later from its grant", () => {
  const { saleId, sessionId } = opened();
  open.facts.set(COPIED_AT, String(BACKUP_AT));
  start(BACKUP_AT + 3 * DAY);
  open.sales.paid(saleId, [], undefined, BACKUP_AT + 3 * DAY);
  open.sales.granted(saleId, BACKUP_AT + 3 * DAY);
  expect(open.sessions.find(sessionId)?.expiresAt).toBe(BACKUP_AT + 10 * DAY);
});
