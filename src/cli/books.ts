import {
  type BooksReport,
  booksReportSchema,
  type LightningSums,
  type RefundSums,
  type Sums,
} from "../books/report.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json } from "./command.ts";
import { EXIT_DIFFERS, EXIT_UNKNOWN } from "./exit-codes.ts";
import { inColumns } from "./table.ts";

export const books = command({
  name: "books",
  group: "Your money",
  summary: "say whether every sat is where it should be",
  about: [
    "Mints and relays are asked, which may take some minutes when they are slow.",
    "docs/operations.md explains each column.",
  ],
  options: { json },
  exits: {
    0: "the books balance",
    [EXIT_DIFFERS]: "something differs",
    [EXIT_UNKNOWN]: "nothing differs, but not all of it could be looked at",
    ...askingExits,
  },
  run: (given, io) =>
    askRunningDaemon(io, "books", booksReportSchema, (report) => {
      for (const line of given.json ? [JSON.stringify(report)] : inWords(report)) io.print(line);
      if (report.balanced === "unknown") return EXIT_UNKNOWN;
      return report.balanced ? 0 : EXIT_DIFFERS;
    }),
});

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

function refundsInWords({ refunds, takenSat, givenSat, feeSat, lossSat, open }: RefundSums): string[] {
  if (refunds + open === 0) return [];
  const loss = lossSat > 0 ? `, ${lossSat} sat not given by the mint` : "";
  return [
    `refunds: ${refunds}, ${open} open; ${takenSat} sat taken, ${givenSat} sat given back, ${feeSat} sat fees${loss}`,
  ];
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
    ...refundsInWords(report.refunds),
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
