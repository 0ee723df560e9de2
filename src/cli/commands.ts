import { backup } from "./backup.ts";
import { books } from "./books.ts";
import { checkConfig } from "./check-config.ts";
import type { Command } from "./command.ts";
import { doctor } from "./doctor.ts";
import { enforcementOff } from "./enforcement-off.ts";
import { listingPause } from "./listing-pause.ts";
import { listingPublish } from "./listing-publish.ts";
import { listingResume } from "./listing-resume.ts";
import { listingRetire } from "./listing-retire.ts";
import { listingShow } from "./listing-show.ts";
import { lnurl } from "./lnurl.ts";
import { refund } from "./refund.ts";
import { restore } from "./restore.ts";
import { runDaemon } from "./run-daemon.ts";
import { sessionsExtend } from "./sessions-extend.ts";
import { sessionsList } from "./sessions-list.ts";
import { sessionsRevoke } from "./sessions-revoke.ts";
import { sessionsShow } from "./sessions-show.ts";
import { status } from "./status.ts";
import { walletBalance } from "./wallet-balance.ts";
import { walletRepublish } from "./wallet-republish.ts";

/** Every command, in the order in which `--help` lists them. */
export const commands: readonly Command[] = [
  runDaemon,
  checkConfig,
  doctor,
  lnurl,
  status,
  sessionsList,
  sessionsShow,
  sessionsRevoke,
  sessionsExtend,
  listingShow,
  listingPublish,
  listingPause,
  listingResume,
  listingRetire,
  books,
  walletBalance,
  walletRepublish,
  refund,
  backup,
  restore,
  enforcementOff,
];
