import { describe } from "../jobs.ts";
import { createComparisonStore } from "../wallet/comparison-store.ts";
import { readSinceBackup } from "../wallet/since-backup.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { Context } from "./context.ts";
import type { OpenSales } from "./open-sales.ts";
import type { Records } from "./records.ts";
import { type RestoreReport, reportRestore } from "./restore-report.ts";
import type { Wallet } from "./wallet.ts";

interface RestoreParts {
  records: Records;
  wallet: Wallet;
  lightning: OpenSales["lightning"];
  bookkeeping: Bookkeeping;
}

const NOTHING_SINCE = { entries: 0, soldSat: 0, walletSat: 0, lostSat: 0 };

/** Asks mints, relays and node what happened since the backup that this book comes from: at its first start, and on request. */
export function serveRestoreReport({ logger }: Context, parts: RestoreParts): void {
  const { records, wallet, lightning, bookkeeping } = parts;
  const { restored, pause, sales } = records;
  const store = createComparisonStore(records.book);

  async function report(): Promise<RestoreReport> {
    const { backupAt, startedAt } = restored;
    const { tunnels, total } = await bookkeeping.balance();
    const { relays, codec, pubkeyHex } = wallet;
    const { silentRelays, ...since } =
      backupAt === undefined || startedAt === undefined
        ? { ...NOTHING_SINCE, silentRelays: [] }
        : await readSinceBackup({ relays, codec, store, pubkeyHex }, backupAt, startedAt);
    return reportRestore({
      backupAt: backupAt ?? null,
      startedAt: startedAt ?? null,
      pause: pause.cause(),
      sessions: tunnels,
      since,
      spentSat: total.spentSat,
      unknownSat: total.unknownSat,
      openSales: sales.openSales().filter(({ createdAt }) => createdAt <= (backupAt ?? 0)).length,
      lightning:
        lightning === undefined ? "off" : lightning.watch.trouble() === undefined ? "asked" : "silent",
      silent: silentRelays,
    });
  }

  records.control.serve("restore-report", report);
  if (!restored.isFirstStart) return;
  report().then(
    (made) => logger.info({ event: "restore-report", ...made }, "what is known of the time since the backup"),
    (error: unknown) => logger.error({ event: "restore-report-failed", error: describe(error) }),
  );
}
