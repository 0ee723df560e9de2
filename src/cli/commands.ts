import { backup } from "./backup.ts";
import { books } from "./books.ts";
import { checkConfig } from "./check-config.ts";
import type { Command } from "./command.ts";
import { lnurl } from "./lnurl.ts";
import { restore } from "./restore.ts";
import { runDaemon } from "./run-daemon.ts";
import { walletRepublish } from "./wallet-republish.ts";

/** Every command, in the order in which `--help` lists them. */
export const commands: readonly Command[] = [
  runDaemon,
  checkConfig,
  lnurl,
  books,
  walletRepublish,
  backup,
  restore,
];
