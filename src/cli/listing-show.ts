import { type ListingReport, listingReportSchema, type OnRelay } from "../daemon/listing-report.ts";
import { printAnswer } from "./answer.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json } from "./command.ts";
import { EXIT_UNKNOWN } from "./exit-codes.ts";
import { inColumns } from "./table.ts";
import { ago, nowInSeconds } from "./words.ts";

export const listingShow = command({
  name: "listing show",
  group: "Your listing",
  summary: "what is to be published, and what each relay has, asked now",
  options: { json },
  exits: {
    0: "every relay has what is to stand there",
    [EXIT_UNKNOWN]: "one does not, or did not answer",
    ...askingExits,
  },
  run: (given, io) =>
    askRunningDaemon(io, "listing-show", listingReportSchema, (report) => {
      printAnswer(io, given.json, report, (shown) => inWords(shown, nowInSeconds()));
      return report.relays.every(({ has }) => has === "as-wanted") ? 0 : EXIT_UNKNOWN;
    }),
});

function inWords({ standing, coordinate, closed, wanted, relays }: ListingReport, now: number): string[] {
  return [
    `${coordinate}: ${standing}${closed === null || standing !== "offered" ? "" : `, as sold: ${closed}`}`,
    "",
    ...(wanted === null ? [] : [...tagLines(wanted.tags), "", ...indented(wanted.content), ""]),
    ...inColumns(
      relays.map((relay) => [relay.url, ...onRelay(relay, now)]),
      3,
    ),
  ];
}

/** Values begin in one column; how many follow is each tag's own. */
function tagLines(tags: readonly (readonly string[])[]): string[] {
  return inColumns(
    tags.map(([name = "", ...values]) => [`  ${name}`, values.join("  ")]),
    2,
  );
}

function indented(content: string): string[] {
  return content
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`);
}

const HAS = {
  "as-wanted": "as it is to be",
  other: "another version",
  nothing: "does not have it",
  unknown: "unknown",
} as const;

export function onRelay({ has, status, createdAt, said }: OnRelay, now: number): string[] {
  if (createdAt === null) return [has === "as-wanted" ? "has none, as is right" : HAS[has], said ?? ""];
  return [HAS[has], `${status}, of ${ago(createdAt, now)}`];
}
