import { controlPath } from "../control/control-path.ts";
import { openControl } from "../control/server.ts";
import { createDurability } from "../db/durability.ts";
import { createFacts } from "../db/facts.ts";
import { removeOldCopies } from "../db/former-copy.ts";
import { lockInstance } from "../db/instance-lock.ts";
import { openBook } from "../db/open-book.ts";
import { createPriceStore } from "../sales/price-store.ts";
import { createReservationStore } from "../sales/reservation-store.ts";
import { createSaleStore } from "../sales/sale-store.ts";
import { createAddressPool } from "../tunnels/address-pool.ts";
import { createClockGuard } from "../tunnels/clock-guard.ts";
import { createSessionStore } from "../tunnels/session-store.ts";
import { parseSubnet } from "../tunnels/subnet.ts";
import type { Context } from "./context.ts";
import { createDatabaseProbe } from "./database-probe.ts";
import { createPause } from "./pause.ts";
import { pinIdentity } from "./pin-identity.ts";
import { takeUpRestored } from "./restored.ts";
import { createRetirement } from "./retirement.ts";

const COPIES_MS = 3_600_000;

export type Records = Awaited<ReturnType<typeof openRecords>>;

/** The book, locked and checked, and the stores in it. */
export async function openRecords({ config, flags, logger, clock, nowMs, life }: Context) {
  const lock = lockInstance(config.db.path);
  life.onClose(() => lock.release());
  const book = openBook(config.db.path);
  life.onClose(() => void book.close());
  const control = await openControl(controlPath(config.db.path), logger);
  life.onClose(control.close);
  const facts = createFacts(book);
  pinIdentity(facts, config.nostr.pubkey, flags.newIdentity);
  const guard = createClockGuard(facts, clock, nowMs, flags.acceptClock);
  const { subnetCidr, subnet6, addressHoldSeconds, rateMbit } = config.wireguard;
  const pool = createAddressPool(book, parseSubnet(subnetCidr), subnet6);
  const sessions = createSessionStore(book, pool, addressHoldSeconds, rateMbit);
  const reservations = createReservationStore(book, sessions, pool.size);
  const database = createDatabaseProbe({
    path: config.db.path,
    write: guard.remember,
    logger,
    onChange: life.changed,
  });
  life.job("copies", COPIES_MS, () => removeOldCopies(config.db.path, clock.now()));
  const durability = createDurability(book);
  const sales = createSaleStore(book, durability, sessions, reservations);
  const pause = createPause(facts, life.changed);
  const restored = takeUpRestored({ book, facts, pool, sales, pause, now: clock.now, logger });
  return {
    book,
    durability,
    control,
    facts,
    guard,
    pool,
    sessions,
    reservations,
    database,
    pause,
    restored,
    retirement: createRetirement(facts, life.changed),
    sales,
    prices: createPriceStore(book, rateMbit),
    claimSecret: facts.secret("claim-hash-key"),
  };
}
