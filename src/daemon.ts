import type { Logger } from "pino";
import { systemClock } from "./clock.ts";
import type { Config } from "./config/types.ts";
import { keepBackups } from "./daemon/backups.ts";
import { startBookkeeping } from "./daemon/bookkeeping.ts";
import { serveBuyers } from "./daemon/buyers.ts";
import type { Context, StartFlags } from "./daemon/context.ts";
import { startFolding } from "./daemon/folding.ts";
import { createLifetime } from "./daemon/lifetime.ts";
import { keepListing } from "./daemon/listing.ts";
import { createMarket } from "./daemon/market.ts";
import { startNotes } from "./daemon/notes.ts";
import { takeUpSales } from "./daemon/open-sales.ts";
import { openRecords } from "./daemon/records.ts";
import { takeUpRefunds } from "./daemon/refunds.ts";
import { serveRestoreReport } from "./daemon/restore-desk.ts";
import { serveSessions } from "./daemon/sessions-desk.ts";
import { serveStanding } from "./daemon/standing.ts";
import { serveStatus } from "./daemon/status.ts";
import { raiseTunnels } from "./daemon/tunnels.ts";
import { inWordsOfDisk } from "./daemon/unwritable-at-start.ts";
import { openWallet } from "./daemon/wallet.ts";
import { whyClosed } from "./daemon/why-closed.ts";
import { createVacancy } from "./sales/vacancy.ts";

export interface Daemon {
  /** Stops listening, finishes what is in flight, closes. Tunnels stay up. */
  stop(): Promise<void>;
}

/** Throws `StartRefused` when it must not run. */
export async function startDaemon(config: Config, flags: StartFlags, logger: Logger): Promise<Daemon> {
  const life = createLifetime(logger);
  const nowMs = () => performance.now();
  try {
    await comeUp({ config, flags, logger, clock: systemClock, nowMs, life });
    return { stop: life.close };
  } catch (error) {
    await life.close();
    throw inWordsOfDisk(error, config.db.path);
  }
}

/**
 * The whole daemon, in the order in which it comes up: the book, the tunnels that run already, the sales that were
 * under way, the wallet, and only then buyers.
 */
async function comeUp(context: Context): Promise<void> {
  const { config, clock } = context;
  const records = await openRecords(context);
  const tunnels = await raiseTunnels(context, records);
  serveSessions(context, records, tunnels);
  const openSales = await takeUpSales(context, records, tunnels.keeper);
  takeUpRefunds(context, records, openSales);
  const wallet = await openWallet(context, records, openSales.mints);
  keepBackups(context, records);
  const bookkeeping = startBookkeeping(context, { records, tunnels, wallet, mints: openSales.mints });
  startFolding(context, records);
  const board = startNotes(context, { records, tunnels, openSales, wallet, bookkeeping });
  serveStanding(context, { records, tunnels, openSales, wallet });
  serveRestoreReport(context, { records, wallet, lightning: openSales.lightning, bookkeeping });

  const { pool, sessions, sales, reservations } = records;
  const { keeper } = tunnels;
  const closedToStrangers = () => whyClosed(config, records, openSales);
  const vacancy = createVacancy({
    pool,
    sessions,
    grants: sales,
    reservations,
    keeper,
    closedToStrangers,
    now: clock.now,
  });
  const market = createMarket({ config, ...openSales, vacancy, keeper, closedToStrangers });
  await serveBuyers(context, { records, tunnels, openSales, wallet, vacancy });
  const listing = await keepListing(context, records, wallet, market);
  serveStatus(context, { records, tunnels, openSales, wallet, listing, board });
}
