import type { Logger } from "pino";
import { EXIT_CONFIG } from "../config.ts";
import { StartRefused } from "../daemon/start-refused.ts";
import { type Daemon, startDaemon } from "../daemon.ts";
import { AlreadyRunningError } from "../db/instance-lock.ts";
import { describe } from "../jobs.ts";
import { createLogger } from "../logger.ts";
import { command } from "./command.ts";
import { loadOrComplain } from "./load-or-complain.ts";

/** What is in flight gets this long after SIGTERM. */
const SHUTDOWN_WITHIN_MS = 25_000;
const EXIT_NOT_STARTED = 1;

export const runDaemon = command({
  name: "",
  group: "The daemon",
  summary: "run it, until SIGTERM or Ctrl-C",
  options: {
    "create-wallet": { summary: "make a NIP-60 wallet although not enough relays say that there is none" },
    "accept-clock": { summary: "the clock is right although the database has seen another time" },
    "new-identity": { summary: "this database goes on with another Nostr key" },
  },
  exits: {
    0: "ended as asked",
    [EXIT_NOT_STARTED]: "it could not run; the log says why",
    [EXIT_CONFIG]: "the config is wrong",
  },
  async run(given, io) {
    const loaded = loadOrComplain(io);
    if (loaded === undefined) return EXIT_CONFIG;
    const { config, warnings } = loaded;
    const logger = createLogger(config.logLevel);
    endOnUncaught(logger);
    for (const warning of warnings) logger.warn({ event: "config-warning" }, warning);
    const flags = {
      createWallet: given["create-wallet"],
      acceptClock: given["accept-clock"],
      newIdentity: given["new-identity"],
    };
    let daemon: Daemon | undefined;
    stopOnSignal(() => daemon, logger);
    try {
      daemon = await startDaemon(config, flags, logger);
      return undefined;
    } catch (error) {
      const known = error instanceof StartRefused || error instanceof AlreadyRunningError;
      const message = known ? error.message : `the daemon could not start: ${startFailure(error)}`;
      logger.fatal({ event: "start-failed" }, message);
      return error instanceof StartRefused ? error.exitCode : EXIT_NOT_STARTED;
    }
  },
});

/** Before the daemon is up nobody waits for an answer, and the book is made to be left at any point. */
function stopOnSignal(running: () => Daemon | undefined, logger: Logger): void {
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      logger.info({ event: "shutting-down", signal }, "finishing what is in flight; tunnels stay up");
      setTimeout(() => process.exit(1), SHUTDOWN_WITHIN_MS).unref();
      const stopped = running()?.stop() ?? Promise.resolve();
      stopped.then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}

/** Node would print the error whole, and NDK's carry the private key. Everything is in the book: a restart goes on. */
function endOnUncaught(logger: Logger): void {
  for (const kind of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(kind, (error) => {
      const stack =
        error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
      logger.fatal({ event: "crashed", kind, error: describe(error), stack }, "an error that nobody caught");
      process.exit(1);
    });
  }
}

function startFailure(error: unknown): string {
  return error instanceof Error ? error.message : "unknown error";
}
