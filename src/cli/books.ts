import { type BooksReport, booksReportSchema, type LightningSums, type Sums } from "../books/report.ts";
import { askRunningDaemon, type CommandIo } from "./ask-running-daemon.ts";
import { EXIT_DIFFERS, EXIT_UNKNOWN } from "./exit-codes.ts";
import { inColumns } from "./table.ts";

/** `europa-node books [--json]`. Exit code 0: balanced, 1: not, 2: parts are unknown, 69: no daemon. */
export function showBooks(io: CommandIo, asJson: boolean): Promise<number> {
  return askRunningDaemon(io, "books", booksReportSchema, (report) => {
    for (const line of asJson ? [JSON.stringify(report)] : inWords(report)) io.print(line);
    if (report.balanced === "unknown") return EXIT_UNKNOWN;
    return report.balanced ? 0 : EXIT_DIFFERS;
  });
}

const columns = ["paid", "proofs", "fees", "loss", "outbox", "wallet", "spent", "unknown"];

function cells(sums: Sums): string[] {
  const { paidSat, proofSat, feeSat, lossSat, outboxSat, walletSat, spentSat, unknownSat } = sums;
  return [paidSat, proofSat, feeSat, lossSat, outboxSat, walletSat, spentSat, unknownSat].map(String);
}

function lightningInWords(sums: LightningSums): string[] {
  if (sums.payments === 0) return [];
  const { payments, requestedMsat, receivedMsat, feeMsat, overpaidMsat, shortMsat } = sums;
  const beyond = [
    ...(overpaidMsat > 0 ? [`${inSat(overpaidMsat)} more than asked for`] : []),
    ...(shortMsat > 0 ? [`${inSat(shortMsat)} short`] : []),
  ];
  const parts = [`${inSat(receivedMsat)} received`, `${inSat(feeMsat)} kept by the node`, ...beyond];
  return [`Lightning: ${payments} invoices paid, over ${inSat(requestedMsat)}; ${parts.join(", ")}`];
}

function inSat(msat: number): string {
  return `${msat / 1000} sat`;
}

function inWords(report: BooksReport): string[] {
  const { mints, total, lightning, payments, tunnels, open, differences, unknown, balanced } = report;
  const sums = [
    ["sat", ...columns],
    ...mints.map((mint) => [mint.mintUrl, ...cells(mint)]),
    ...(mints.length === 1 ? [] : [["all", ...cells(total)]]),
  ];
  const up = tunnels.up === "unknown" ? "it is unknown how many are" : `${tunnels.up}`;
  return [
    ...inColumns(sums),
    "",
    ...lightningInWords(lightning),
    `paid sales: ${payments.sales}, granted ${payments.granted}, owed ${payments.owed}`,
    `live sessions: ${tunnels.live}, ${up} on the interface`,
    ...open.map(
      ({ saleId, state, ageSeconds, faceSat, mintUrl }) =>
        `open: sale ${saleId}, ${state} for ${ageSeconds} s, ${faceSat} sat, ${mintUrl ?? "Lightning"}`,
    ),
    ...unknown.map((what) => `unknown: ${what}`),
    ...differences.map(({ saleId, what }) => `differs: ${saleId === null ? "" : `sale ${saleId}: `}${what}`),
    balanced === true
      ? "The books balance."
      : balanced === false
        ? "The books do not balance."
        : "Nothing differs, but not all of it could be looked at.",
  ];
}
