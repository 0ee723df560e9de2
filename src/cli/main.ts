import { parseArgs } from "node:util";
import type { Logger } from "pino";
import { ConfigError, EXIT_CONFIG, loadConfig, readEnvironment } from "../config.ts";
import { StartRefused } from "../daemon/start-refused.ts";
import { type Daemon, type StartFlags, startDaemon } from "../daemon.ts";
import { AlreadyRunningError } from "../db/instance-lock.ts";
import { describe } from "../jobs.ts";
import { createLogger } from "../logger.ts";
import { version } from "../version.ts";
import { showBooks } from "./books.ts";
import { checkConfig } from "./check-config.ts";
import { showLnurls } from "./lnurl.ts";
import { republishWalletCommand } from "./wallet.ts";

const OLDEST_NODE = 20;
/** What is in flight gets this long after SIGTERM. */
const SHUTDOWN_WITHIN_MS = 25_000;

const usage = `europa-node ${version}: sells WireGuard tunnels over Nostr, for ecash and over Lightning.

  europa-node                      run the daemon
  europa-node check-config [file]  say what is wrong with the config, change nothing
  europa-node lnurl                print each tier's LNURL and its QR code, from the config alone
  europa-node books                ask the running daemon whether its books balance
  europa-node wallet republish     have it fill relays that lack the wallet, or parts of it

  --create-wallet   make a NIP-60 wallet although not enough relays say that there is none
  --accept-clock    the clock is right although the database has seen another time
  --new-identity    this database goes on with another Nostr key
  --json            books, wallet republish, lnurl: JSON instead of words
  --version, --help

The config is read from EUROPA_NODE_CONFIG, or /etc/europa-node/config.toml.
LOG_LEVEL sets the log's level; EUROPA_OPERATOR_WIREGUARD_MODE=in-memory runs without WireGuard.
Exit codes: 0 ended as asked, 1 could not run, 64 wrong arguments, 69 no daemon answers, 78 wrong configuration.
lnurl: 1 nothing is sold over Lightning. books: 1 they do not balance, 2 not all could be looked at.
wallet republish: 2 a relay does not have all of it yet.
`;

const EXIT_USAGE = 64;

/** Parses the command line and hands over. Gives the exit code; undefined while the daemon runs on. */
export async function main(argv: string[]): Promise<number | undefined> {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
    process.stderr.write(`europa-node needs Node ${OLDEST_NODE} or newer, this is ${process.version}\n`);
    return 1;
  }
  const parsed = parse(argv);
  if (!parsed) return EXIT_USAGE;
  const { values, positionals } = parsed;
  if (values.help || values.version) {
    process.stdout.write(values.help ? usage : `${version}\n`);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (command === undefined) {
    return run({
      createWallet: values["create-wallet"],
      acceptClock: values["accept-clock"],
      newIdentity: values["new-identity"],
    });
  }
  if (command === "check-config" && rest.length <= 1)
    return checkConfig(rest, { environment: readEnvironment(), print });
  const io = { environment: readEnvironment(), print, complain };
  const asJson = values.json;
  if (command === "lnurl" && rest.length === 0) return showLnurls(io, asJson);
  if (command === "books" && rest.length === 0) return showBooks(io, asJson);
  if (command === "wallet" && rest.join(" ") === "republish") return republishWalletCommand(io, asJson);
  process.stderr.write(`europa-node has no command "${positionals.join(" ")}"; see --help\n`);
  return EXIT_USAGE;
}

function parse(argv: string[]) {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        "create-wallet": flag,
        "accept-clock": flag,
        "new-identity": flag,
        json: flag,
        help: flag,
        version: flag,
      },
    });
  } catch (error) {
    // What follows Node's first sentence is for programs that take any option.
    const said = error instanceof Error ? error.message.split(". ")[0] : "wrong arguments";
    process.stderr.write(`${said}; see --help\n`);
    return undefined;
  }
}

async function run(flags: StartFlags): Promise<number | undefined> {
  const environment = readEnvironment();
  let loaded: ReturnType<typeof loadConfig>;
  try {
    loaded = loadConfig(environment.configPath, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const warning of error.warnings) complain(`warning: ${warning}`);
    for (const problem of error.problems) complain(problem);
    return EXIT_CONFIG;
  }
  const { config, warnings } = loaded;
  const logger = createLogger(config.logLevel);
  endOnUncaught(logger);
  for (const warning of warnings) logger.warn({ event: "config-warning" }, warning);
  let daemon: Daemon | undefined;
  stopOnSignal(() => daemon, logger);
  try {
    daemon = await startDaemon(config, flags, logger);
    return undefined;
  } catch (error) {
    const known = error instanceof StartRefused || error instanceof AlreadyRunningError;
    const message = known ? error.message : `the daemon could not start: ${startFailure(error)}`;
    logger.fatal({ event: "start-failed" }, message);
    return error instanceof StartRefused ? error.exitCode : 1;
  }
}

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

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
