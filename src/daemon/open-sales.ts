import { setTimeout as sleep } from "node:timers/promises";
import { createMints } from "../cashu/mints.ts";
import { createHandshakeWatch } from "../notes/handshake-watch.ts";
import { createSaleFeed } from "../notes/sale-feed.ts";
import { createSettlement, defaultTimes } from "../sales/settle.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { Context } from "./context.ts";
import { createLightning, endLightning } from "./lightning.ts";
import { createMintWatch } from "./mint-watch.ts";
import type { Records } from "./records.ts";
import { recoverSales } from "./recovery.ts";

const MINT_REFRESH_MS = 25_000;
const SWEEP_MS = 500;
const NODE_MS = 10_000;
const PAYMENTS_MS = 1_000;
/** What a shutdown waits for rounds with a mint; the next start takes up what is left. */
const IDLE_WITHIN_MS = 5_000;
const RECOVERY_WITHIN_MS = 15_000;

export type OpenSales = Awaited<ReturnType<typeof takeUpSales>>;

/** The sales that were under way go on: those for ecash, then those over Lightning. */
export async function takeUpSales(context: Context, records: Records, keeper: Keeper) {
  const { config, logger, clock, nowMs, life } = context;
  const { sales } = records;
  const { now } = clock;
  const mints = createMints({
    mintUrls: config.cashu?.mints.map((mint) => mint.url) ?? [],
    privkeyHex: config.cashu?.privateKeyHex ?? "",
    pubkeyHex: config.cashu?.p2pk ?? "",
    maxFeeSat: config.cashu?.maxFeeSat ?? 0,
    clock,
  });
  const saleFeed = createSaleFeed({ nowMs });
  const handshakes = createHandshakeWatch(now);
  const settlement = createSettlement({
    store: sales,
    keeper,
    link: mints.link,
    findMint: mints.find,
    now,
    nowMs,
    logger,
    times: {
      ...defaultTimes,
      settleMs: (config.cashu?.settleSeconds ?? 60) * 1000,
      addressHoldSeconds: config.cashu?.openHoldSeconds ?? 600,
    },
    onChange: life.changed,
    onGranted({ sessionId, ...sold }) {
      saleFeed.granted(sold);
      handshakes.granted(sessionId);
    },
  });
  life.onClose(() => Promise.race([settlement.idle(), sleep(IDLE_WITHIN_MS)]));
  const mintWatch = createMintWatch(mints, logger);
  await mintWatch.refresh();
  life.job("mints", MINT_REFRESH_MS, async () => {
    await mintWatch.refresh();
    life.changed();
  });
  await recoverSales(sales, settlement, logger, RECOVERY_WITHIN_MS);
  life.job("sales", SWEEP_MS, settlement.sweep);
  const lightning = await takeUpInvoices(context, records, settlement);
  return { mints, settlement, lightning, saleFeed, handshakes };
}

async function takeUpInvoices(
  { config, logger, clock, nowMs, life }: Context,
  { book, sessions, sales, reservations, guard, claimSecret }: Records,
  settlement: ReturnType<typeof createSettlement>,
) {
  const { now } = clock;
  // A clock in doubt ends no invoice's time (rule 21); payments are heard of all the same.
  const onceClockIsSure = (step: () => Promise<void> | void) => () =>
    guard.doubt() === undefined ? step() : undefined;
  if (config.lightning === undefined) {
    const lapse = endLightning({ book, sessions, sales, reservations, now });
    life.job("payments", PAYMENTS_MS, onceClockIsSure(lapse));
    return undefined;
  }
  const lightning = createLightning({
    config: config.lightning,
    book,
    sessions,
    sales,
    reservations,
    settlement,
    claimSecret,
    now,
    nowMs,
    logger,
    onChange: life.changed,
  });
  life.onClose(() => lightning.stop(IDLE_WITHIN_MS));
  await lightning.refresh();
  await lightning.recover(RECOVERY_WITHIN_MS);
  lightning.follow();
  life.job("node", NODE_MS, lightning.refresh);
  life.job("payments", PAYMENTS_MS, onceClockIsSure(lightning.payments.poll));
  return lightning;
}
