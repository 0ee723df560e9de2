import { type SessionList, sessionListSchema } from "../daemon/sessions-report.ts";
import { printAnswer } from "./answer.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json } from "./command.ts";
import { handshake, rateNow, standing } from "./session-words.ts";
import { inColumns } from "./table.ts";
import { counted, nowInSeconds } from "./words.ts";

/** Enough of an id to name it. */
const SHORT_ID = 8;

export const sessionsList = command({
  name: "sessions list",
  group: "Your buyers",
  summary: "the sessions that run, the one that ends first at the top",
  options: {
    all: { summary: "those that ended or have not begun too, newest first, at most 1000" },
    json,
  },
  exits: { 0: "listed", ...askingExits },
  run: (given, io) =>
    askRunningDaemon(
      io,
      "sessions-list",
      sessionListSchema,
      (answer) => {
        printAnswer(io, given.json, answer, (list) => inWords(list, given.all, nowInSeconds()));
        return 0;
      },
      { all: given.all },
    ),
});

function inWords({ sessions, leftOut }: SessionList, all: boolean, now: number): string[] {
  if (sessions.length === 0) return [all ? "There is no session." : "No session runs."];
  const status = (cell: string) => (all ? [cell] : []);
  const someAreSlowed = sessions.some((session) => rateNow(session) !== "");
  const rate = (cell: string) => (someAreSlowed ? [cell] : []);
  const rows = sessions.map((session) => [
    session.sessionId.slice(0, SHORT_ID),
    session.address,
    session.shortKey,
    ...status(session.status),
    standing(session, now),
    ...rate(rateNow(session)),
    handshake(session, now),
  ]);
  return [
    ...inColumns(
      [
        [
          "id",
          "address",
          "key",
          ...status("status"),
          all ? "left, or ended" : "left",
          ...rate("rate"),
          "handshake",
        ],
        ...rows,
      ],
      7,
    ),
    ...(leftOut === 0 ? [] : ["", `${counted(leftOut, "older one")} left out`]),
  ];
}
