import { type WalletBalanceReport, walletBalanceSchema } from "../books/wallet-balance.ts";
import { printAnswer } from "./answer.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json } from "./command.ts";
import { EXIT_UNKNOWN } from "./exit-codes.ts";
import { inColumns } from "./table.ts";

export const walletBalance = command({
  name: "wallet balance",
  group: "Your money",
  summary: "your ecash by mint: on the relays, still in the outbox, or of unknown place",
  about: ["Relays are asked now; a mint is asked about what no relay shows."],
  options: { json },
  exits: { 0: "all of it was found", [EXIT_UNKNOWN]: "a relay or a mint did not say", ...askingExits },
  run: (given, io) =>
    askRunningDaemon(io, "wallet-balance", walletBalanceSchema, (balance) => {
      printAnswer(io, given.json, balance, inWords);
      return balance.unknown.length === 0 ? 0 : EXIT_UNKNOWN;
    }),
});

function inWords({ mints, total, unknown }: WalletBalanceReport): string[] {
  const row = (name: string, { walletSat, outboxSat, unknownSat }: typeof total) => [
    name,
    ...[walletSat, outboxSat, unknownSat].map(String),
  ];
  return [
    ...inColumns([
      ["sat", "wallet", "outbox", "unknown"],
      ...mints.map((mint) => row(mint.mintUrl, mint)),
      ...(mints.length === 1 ? [] : [row("all", total)]),
    ]),
    ...unknown.map((what) => `unknown: ${what}`),
  ];
}
