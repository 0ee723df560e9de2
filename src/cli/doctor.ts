import { pino } from "pino";
import { fileTrouble } from "../config/file-trouble.ts";
import { EXIT_CONFIG } from "../config.ts";
import { buyFromItself } from "../doctor/buy/buy.ts";
import type { Examined } from "../doctor/check.ts";
import { checks } from "../doctor/checks.ts";
import { examine } from "../doctor/examine.ts";
import type { Status } from "../doctor/finding.ts";
import { createSubject, type Subject } from "../doctor/subject.ts";
import { command, json, UsageError } from "./command.ts";
import { EXIT_FAILS } from "./exit-codes.ts";
import { loadOrComplain } from "./load-or-complain.ts";
import { readTokenInput } from "./token-input.ts";

export const doctor = command({
  name: "doctor",
  group: "Before the start",
  summary: "look at host, name, relays, mints and tunnels: what is wrong, and how to mend it",
  about: [
    "It changes nothing. As root it sees most; the daemon may run or not. Each relay is sent the listing as it stands,",
    "and wallet events that it lacks, the same bytes; where there is no listing yet, an event that no relay keeps.",
    "docs/doctor.md lists the checks.",
    "",
    "--buy spends the ecash that it is given, at your own daemon; it must be locked to your cashu.p2pk, and more of it buys",
    "more. It needs root, looks at a page through the tunnel in a network namespace of its own, and takes that away again.",
  ],
  options: {
    json,
    buy: {
      summary:
        "buy the cheapest tier from yourself with the ecash in <file>, - for standard input, and use it",
      value: "file",
    },
    url: { summary: "with --buy: a page out there to look at through the tunnel as well", value: "url" },
  },
  exits: {
    0: "no check fails; warnings and what could not be seen are told",
    [EXIT_FAILS]: "a check fails",
    [EXIT_CONFIG]: "the config cannot be read",
  },
  async run(given, io) {
    if (given.url !== undefined && !isPage(given.url))
      throw new UsageError("--url takes a URL such as https://example.com/");
    const loaded = loadOrComplain(io);
    if (loaded === undefined) return EXIT_CONFIG;
    const { configPath } = io.environment;
    const subject = createSubject({ ...loaded, configPath, logger: pino({ level: "silent" }) });
    const examined =
      given.buy === undefined ? await examine(checks, subject) : await buy(given.buy, given.url, subject);
    await subject.close();
    for (const line of given.json ? [asJson(examined)] : inWords(examined)) io.print(line);
    return examined.some(({ status }) => status === "fail") ? EXIT_FAILS : 0;
  },
});

function isPage(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** Ctrl-C leaves nothing behind on the host, and the token's fate is told all the same. */
async function buy(path: string, url: string | undefined, subject: Subject): Promise<Examined[]> {
  let token: string;
  try {
    token = await readTokenInput(path);
  } catch (error) {
    throw new UsageError(`--buy: ${path}: the file ${fileTrouble(error)}`);
  }
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  return buyFromItself(subject, { token, url }, stopping.signal);
}

/** `mend` is null where there is nothing to do. */
function asJson(examined: readonly Examined[]): string {
  const found = examined.map(({ name, status, seen, mend }) => ({ name, status, seen, mend: mend ?? null }));
  return JSON.stringify({ checks: found });
}

const MARKS: Record<Status, string> = { ok: "ok", warn: "WARN", fail: "FAIL", unseen: "unseen" };

/** A line to a check, the mend beneath. */
function inWords(examined: readonly Examined[]): string[] {
  const width = Math.max(...examined.map(({ name }) => name.length));
  const lines = [...new Set(examined.map(({ group }) => group))].flatMap((group) => [
    `${group}:`,
    ...examined.filter((one) => one.group === group).flatMap((one) => linesOf(one, width)),
    "",
  ]);
  const counted = (["ok", "warn", "fail", "unseen"] as const).map(
    (status) => `${examined.filter((one) => one.status === status).length} ${status}`,
  );
  return [...lines, counted.join(", ")];
}

function linesOf({ name, status, seen, mend }: Examined, width: number): string[] {
  const line = `  ${MARKS[status].padEnd(6)}  ${name.padEnd(width)}  ${seen}`;
  return mend === undefined ? [line] : [line, `${" ".repeat(width + 12)}> ${mend}`];
}
