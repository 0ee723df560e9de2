import { stat, statfs } from "node:fs/promises";
import type { TroubleBoard } from "../notes/trouble-board.ts";
import type { Sale } from "../sales/sale.ts";
import { createSalesSumsStore, type SalesByWay } from "../sales/sales-sums-store.ts";
import { version } from "../version.ts";
import { createWalletSumsStore } from "../wallet/wallet-sums-store.ts";
import type { Context } from "./context.ts";
import type { ListingDesk } from "./listing-desk.ts";
import type { OpenSales } from "./open-sales.ts";
import type { Records } from "./records.ts";
import type { StatusReport } from "./status-report.ts";
import type { Tunnels } from "./tunnels.ts";
import type { Wallet } from "./wallet.ts";

const DAY_SECONDS = 86_400;
const MOST_FREE = 1000;
const MOST_PEERS = 100;
const SHORT_KEY = 8;

interface StatusParts {
  records: Records;
  tunnels: Tunnels;
  openSales: OpenSales;
  wallet: Wallet;
  listing: ListingDesk;
  board: Pick<TroubleBoard, "troubles">;
}

/** What an operator looks at each morning. Asks relays for the listing, within seconds, and the book for all else. */
export function serveStatus(context: Context, parts: StatusParts): void {
  const { config, clock } = context;
  const { records, openSales, wallet, listing, board } = parts;
  const startedAt = clock.now();
  const sums = createSalesSumsStore(records.book);
  const walletSums = createWalletSumsStore(records.book);

  async function status(): Promise<StatusReport> {
    const [{ standing, closed, relays }, disk] = await Promise.all([
      listing.show(),
      diskOf(config.db.path, records.database.trouble()),
    ]);
    const now = clock.now();
    const connected = new Map(wallet.relays.status().map((relay) => [relay.url, relay.connected]));
    return {
      version,
      at: now,
      startedAt,
      publicHost: config.server.publicHost,
      troubles: board.troubles().map(({ name, since, words, event }) => ({ name, since, words, event })),
      listing: { standing, closed, dTag: config.listing.dTag, pausedBy: records.pause.cause() ?? null },
      restored: restoredOf(records.restored),
      sales: salesOf(sums.lately(now)),
      tunnels: tunnelsOf(context, parts, now),
      open: openOf(records.sales.openSales(), sums.unpaidInvoices()),
      wallet: config.cashu === undefined ? null : walletNow(),
      mints: openSales.mints.all().map((mint) => {
        const { answeredAt = null, trouble = null } = mint.status();
        return { url: mint.url, answeredAt, trouble };
      }),
      lightning:
        openSales.lightning === undefined
          ? null
          : {
              backend: openSales.lightning.node.kind,
              trouble: openSales.lightning.watch.trouble() ?? null,
            },
      relays: relays.map((relay) => ({ ...relay, connected: connected.get(relay.url) ?? false })),
      disk,
    };
  }

  function walletNow(): StatusReport["wallet"] {
    const mints = walletSums.unspentByMint();
    return {
      mints,
      totalSat: mints.reduce((sum, { sat }) => sum + sat, 0),
      outbox: { ...wallet.outbox.waiting(), sat: walletSums.waitingSat() },
    };
  }

  records.control.serve("status", status);
}

function restoredOf({ backupAt, startedAt }: Records["restored"]): StatusReport["restored"] {
  return backupAt === undefined || startedAt === undefined ? null : { backupAt, startedAt };
}

function salesOf(ways: SalesByWay[]): StatusReport["sales"] {
  const total = (period: "day" | "week" | "month") => ({
    sales: ways.reduce((sum, way) => sum + way[period].sales, 0),
    sat: ways.reduce((sum, way) => sum + way[period].sat, 0),
  });
  return { ways, total: { day: total("day"), week: total("week"), month: total("month") } };
}

function tunnelsOf(
  { config }: Context,
  { records, tunnels }: StatusParts,
  now: number,
): StatusReport["tunnels"] {
  const { sessions, pool } = records;
  const live = sessions.live();
  const unknownPeers = tunnels.keeper.foreignPeers();
  return {
    live: live.length,
    endingWithinDay: live.filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now + DAY_SECONDS)
      .length,
    poolSize: pool.size,
    poolFree: pool.countFree(now, MOST_FREE),
    interface: config.wireguard.interface,
    rates: tunnels.rates,
    trouble: tunnels.keeper.trouble() ?? null,
    unknownPeers: unknownPeers.slice(0, MOST_PEERS).map(({ publicKey, allowedIps }) => ({
      shortKey: publicKey.slice(0, SHORT_KEY),
      allowedIps: [...allowedIps],
    })),
    unknownPeerCount: unknownPeers.length,
  };
}

function openOf(sales: readonly Sale[], unpaidInvoices: number): StatusReport["open"] {
  const sumOf = (some: readonly Sale[]) => ({
    sales: some.length,
    sat: some.reduce((sum, { faceSat }) => sum + faceSat, 0),
    oldestAt: some.length === 0 ? null : Math.min(...some.map(({ createdAt }) => createdAt)),
  });
  return {
    owed: sumOf(sales.filter(({ state }) => state !== "swapping")),
    unresolved: sumOf(sales.filter(({ state }) => state === "swapping")),
    unpaidInvoices,
  };
}

async function diskOf(databasePath: string, trouble: string | undefined): Promise<StatusReport["disk"]> {
  const [space, file, log] = await Promise.all([
    statfs(databasePath),
    stat(databasePath),
    stat(`${databasePath}-wal`).catch(() => ({ size: 0 })),
  ]);
  return {
    databasePath,
    databaseBytes: file.size + log.size,
    freeBytes: space.bavail * space.bsize,
    trouble: trouble ?? null,
  };
}
