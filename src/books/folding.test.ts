import { statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDurability } from "../db/durability.ts";
import type { Book } from "../db/open-book.ts";
import { openBook } from "../db/open-book.ts";
import { createAgedBook } from "../testing/aged-book.ts";
import { queryPlans } from "../testing/query-plans.ts";
import { createWorld, DAY, imbalances, reasonOf, type World } from "../testing/sales-world.ts";
import { makeTempDir } from "../testing/temp-dir.ts";
import { createComparisonStore } from "../wallet/comparison-store.ts";
import { createWalletStore } from "../wallet/wallet-store.ts";
import { balanceBooks } from "./balance.ts";
import { createBooksStore } from "./books-store.ts";
import { foldingSteps } from "./folding.ts";
import { createFoldingStore } from "./folding-store.ts";

/** Takes every step until there is nothing left to forget. */
function fold(book: Book, now: number): void {
  const steps = foldingSteps(createFoldingStore(book), () => now);
  while (steps.some((step) => step()));
}

/** The books, with every proof where the book itself says that it is. */
function booksOf(book: Book) {
  const store = createBooksStore(book);
  const [sales, proofs, folded] = [store.sales(), store.proofs(), store.folded()];
  const places = new Map(proofs.map(({ y }) => [y, "wallet" as const]));
  const tunnels = { live: 0, without: [] };
  return balanceBooks({ sales, proofs, folded, refunds: [], places, tunnels, silent: [], now: 0 });
}

const moneyOf = ({
  mints,
  total,
  lightning,
  payments,
  balanced,
  differences,
}: ReturnType<typeof booksOf>) => ({
  mints,
  total,
  lightning,
  payments,
  balanced,
  differences,
});

describe("a session that is over for 30 days", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.close());

  const count = (table: string) => world.all<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)[0]?.n;
  const tables = ["sessions", "session_terms", "sales", "sale_inputs", "invoices"];
  const rows = () => tables.map(count);

  /** Two tunnels for ecash, the second renewed, and one over Lightning; all end a day or two later. */
  async function sellAll(): Promise<{ first: string; buyer: ReturnType<World["buyer"]> }> {
    const buyer = world.buyer();
    const first = world.mint.issue([64, 32, 4]);
    await world.buy(buyer, first);
    const renewing = world.buyer();
    await world.buy(renewing, world.mint.issue([64, 32, 4]));
    await world.buy(renewing, world.mint.issue([128, 64, 8]));
    const { paymentHash } = await world.invoice(world.buyer());
    world.node.settle(paymentHash);
    await world.sweep(20);
    await world.run.payments.poll();
    await world.sweep(20);
    expect(count("sales")).toBe(4);
    return { first, buyer };
  }

  /** Both clocks go on, with a look at the interface on each day, as the daemon has it. */
  async function passDays(days: number): Promise<void> {
    for (let day = 0; day < days * 24; day++) {
      world.pass(3_600);
      await world.run.keeper.tick();
    }
  }

  it("is forgotten with its sales and claims; the sums stay, and so does every unspent proof", async () => {
    await sellAll();
    await passDays(31);
    const before = [rows(), moneyOf(booksOf(world.run.book)), count("proofs")];
    fold(world.run.book, world.time.seconds);
    expect(rows()).toEqual([1, 1, 2, 6, 0]);
    await passDays(2);
    fold(world.run.book, world.time.seconds);
    expect(rows()).toEqual([0, 0, 0, 0, 0]);
    expect([before[1], before[2]]).toEqual([moneyOf(booksOf(world.run.book)), count("proofs")]);
    expect(moneyOf(booksOf(world.run.book))).toMatchObject({ balanced: true, payments: { sales: 4 } });
  });

  it("leaves its tokens to the mint: they are double-spent, and open no tunnel", async () => {
    const { first, buyer } = await sellAll();
    await passDays(40);
    expect(await reasonOf(world.buy(buyer, first))).toBe("double-spent");
    fold(world.run.book, world.time.seconds);
    expect(count("sale_inputs")).toBe(0);
    const swaps = world.mint.calls.swap;
    expect(await reasonOf(world.buy(buyer, first))).toBe("double-spent");
    expect(await reasonOf(world.buy(world.buyer(), first))).toBe("double-spent");
    expect(world.mint.calls.swap).toBeGreaterThan(swaps);
    expect([count("sessions"), count("sales WHERE state = 'granted'")]).toEqual([0, 0]);
    expect(imbalances(world)).toEqual([]);
  });

  it("is kept while its key is not forgotten, a sale is open, or a mint still owes for it", async () => {
    await sellAll();
    await passDays(40);
    const { book } = world.run;
    const [a, b, c] = world.all<{ session_id: string }>(
      "SELECT session_id FROM sessions ORDER BY session_id",
    );
    book.prepare("UPDATE sessions SET client_identity = 'k' WHERE session_id = ?").run(a?.session_id);
    book.prepare("UPDATE sales SET state = 'owed' WHERE session_id = ?").run(b?.session_id);
    book
      .prepare("INSERT INTO swap_attempts SELECT sale_id, 1, '{}', 1 FROM sales WHERE session_id = ? LIMIT 1")
      .run(c?.session_id);
    const before = rows();
    fold(book, world.time.seconds);
    expect(rows()).toEqual(before);
  });

  it("of an older daemon stays in its table, for whoever goes back to it", async () => {
    const { book } = world.run;
    book
      .prepare(
        `INSERT INTO sessions (session_id, protocol, client_identity, assigned_ip, purchased_at, expires_at,
           price_amount, price_currency, price_unit, payment_method, status, listing_d_tag)
         VALUES ('old', 'wireguard', '', '10.9.0.9', 1, 2, 1, 'sat', 'day', 'cashu', 'expired', 'vpn')`,
      )
      .run();
    world.run.sessions.adoptOldRows(world.time.seconds);
    fold(book, world.time.seconds);
    expect(count("sessions")).toBe(1);
  });
});

describe("a year of fifty sales a day", () => {
  const START = Math.floor(Date.UTC(2026, 0, 1) / 1000);
  const MINT = "https://mint.example";

  it("is a book no larger than that of some weeks, with every sum as it was", async () => {
    const folder = await makeTempDir();
    const path = join(folder.path, "book.db");
    let book = openBook(path);
    try {
      // Nobody pulls the plug here, and the test shall not take a year either.
      book.pragma("synchronous = OFF");
      book.pragma("cache_size = -65536");
      const aged = createAgedBook(book);
      const comparison = createComparisonStore(book);
      const sizes: number[] = [];
      for (let day = 0; day < 365; day++) {
        const now = START + (day + 1) * DAY;
        const relayUrls = ["wss://a.example", "wss://b.example", "wss://c.example"];
        aged.addDay({ startsAt: START + day * DAY, sales: 50, mintUrl: MINT, relayUrls });
        // The operator empties his wallet once a week, and the mint says so.
        if (day % 7 === 6) {
          comparison.spent(
            comparison.held().map(({ y }) => y),
            now,
          );
          comparison.withdraw([], now);
        }
        fold(book, now);
        book.pragma("wal_checkpoint(TRUNCATE)");
        sizes.push(statSync(path).size);
      }
      const most = Math.max(...sizes);
      expect(most).toBeLessThan(1.05 * Math.max(...sizes.slice(0, 60)));
      expect(most).toBeLessThan(32 * 2 ** 20);
      const rows = book.prepare("SELECT count(*) FROM sales").pluck().get() as number;
      expect(rows).toBeLessThanOrEqual(50 * 33);
      expect(book.prepare("SELECT count(DISTINCT month) FROM folded_sales").pluck().get()).toBe(12);

      book.close();
      book = openBook(path);
      const { total, lightning, payments, differences } = booksOf(book);
      expect(differences).toEqual([]);
      expect(payments).toEqual({ sales: 18_250, granted: 18_250, owed: 0 });
      expect(total).toMatchObject({ paidSat: 14_600 * 100, proofSat: 14_600 * 98, feeSat: 14_600 * 2 });
      expect(lightning).toMatchObject({ payments: 3_650, receivedMsat: 3_650 * 99_000, feeMsat: 3_650_000 });
      expect(book.pragma("integrity_check", { simple: true })).toBe("ok");
      expect(book.pragma("foreign_key_check")).toEqual([]);
    } finally {
      book.close();
      await folder.remove();
    }
  }, 600_000);

  it("that was not forgotten so far is, in small steps, none of which takes many rows", async () => {
    const folder = await makeTempDir();
    const book = openBook(join(folder.path, "book.db"));
    try {
      book.pragma("synchronous = OFF");
      const aged = createAgedBook(book);
      for (let day = 0; day < 30; day++) {
        aged.addDay({
          startsAt: START + day * DAY,
          sales: 50,
          mintUrl: MINT,
          relayUrls: ["wss://a.example"],
        });
      }
      const comparison = createComparisonStore(book);
      const events = [...new Set(comparison.held().map(({ eventId }) => eventId))];
      const emptied = new Set(events.filter((_, index) => index % 2 === 0));
      const spent = comparison.held().filter(({ eventId }) => emptied.has(eventId));
      comparison.spent(
        spent.map(({ y }) => y),
        START + 35 * DAY,
      );
      const before = moneyOf(booksOf(book));
      const changes = () => book.prepare("SELECT total_changes()").pluck().get() as number;
      const steps = foldingSteps(createFoldingStore(book), () => START + 100 * DAY);
      for (let last = changes(); steps.some((step) => step()); last = changes()) {
        expect(changes() - last).toBeLessThan(300);
      }
      expect(book.prepare("SELECT count(*) FROM sales").pluck().get()).toBe(0);
      expect(book.prepare("SELECT count(*) FROM proofs").pluck().get()).toBe(comparison.held().length);
      expect(moneyOf(booksOf(book))).toEqual(before);
    } finally {
      book.close();
      await folder.remove();
    }
  });
});

it("reads no whole table that grows with the years, and neither does the outbox", async () => {
  const folder = await makeTempDir();
  const book = openBook(join(folder.path, "book.db"));
  try {
    const plans = queryPlans(book, (heard) => {
      createFoldingStore(heard);
      createWalletStore(heard, createDurability(book));
    });
    expect(plans.length).toBeGreaterThan(30);
    const readsAll =
      /^SCAN (sessions|s|session_terms|t|sales|sale_inputs|invoices|proofs|wallet_events|e|wallet_event_relays)$/;
    expect(plans.filter(({ steps }) => steps.some((step) => readsAll.test(step)))).toEqual([]);
  } finally {
    book.close();
    await folder.remove();
  }
});
