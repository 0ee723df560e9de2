import { pino } from "pino";
import { ConfigError, EXIT_CONFIG, loadConfig } from "../config.ts";
import type { Examined } from "../doctor/check.ts";
import { checks } from "../doctor/checks.ts";
import { examine } from "../doctor/examine.ts";
import type { Status } from "../doctor/finding.ts";
import { createSubject } from "../doctor/subject.ts";
import { command, json } from "./command.ts";
import { EXIT_FAILS } from "./exit-codes.ts";

export const doctor = command({
  name: "doctor",
  group: "Before the start",
  summary: "look at the host, its name, relays, mints and tunnels, and say what is wrong and how to mend it",
  about: [
    "It changes nothing. As root it sees most; the daemon may run or not. Each relay is sent the listing as it stands,",
    "and wallet events that it lacks, the same bytes; where there is no listing yet, an event that no relay keeps.",
    "docs/doctor.md lists the checks.",
  ],
  options: { json },
  exits: {
    0: "no check fails; warnings and what could not be seen are told",
    [EXIT_FAILS]: "a check fails",
    [EXIT_CONFIG]: "the config cannot be read",
  },
  async run(given, { environment, print, complain }) {
    let loaded: ReturnType<typeof loadConfig>;
    try {
      loaded = loadConfig(environment.configPath, environment);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) complain(problem);
      return EXIT_CONFIG;
    }
    const { configPath } = environment;
    const subject = createSubject({ ...loaded, configPath, logger: pino({ level: "silent" }) });
    const examined = await examine(checks, subject);
    await subject.close();
    for (const line of given.json ? [asJson(examined)] : inWords(examined)) print(line);
    return examined.some(({ status }) => status === "fail") ? EXIT_FAILS : 0;
  },
});

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
