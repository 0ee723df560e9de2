import { MOST_GIB, MOST_HOURS, sessionExtendSchema } from "../daemon/sessions-report.ts";
import { printUnlessRefused } from "./answer.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json, UsageError, wholeNumber } from "./command.ts";
import { EXIT_REFUSED } from "./exit-codes.ts";
import { standing } from "./session-words.ts";
import { whichSession } from "./sessions-show.ts";
import { nowInSeconds } from "./words.ts";

export const sessionsExtend = command({
  name: "sessions extend",
  group: "Your buyers",
  summary: "give a running session more, to make up for something",
  about: [
    "It counts as a purchase of so much would, as fast as the session is now, and never shortens. It is written down as",
    "an extension and not as a sale: your books stay balanced.",
  ],
  arguments: { session: whichSession },
  options: {
    hours: { summary: `so many more hours, at most ${MOST_HOURS}`, value: "n" },
    gib: { summary: `so many more GiB, at most ${MOST_GIB}; they are used once no time runs`, value: "n" },
    json,
  },
  exits: {
    0: "extended",
    [EXIT_REFUSED]: "no such session, it does not run, or it runs without an end",
    ...askingExits,
  },
  run(given, io) {
    const { hours, gib } = given;
    if ((hours === undefined) === (gib === undefined)) {
      throw new UsageError("one of --hours <n> and --gib <n> says by how much");
    }
    const seconds = hours === undefined ? 0 : wholeNumber("--hours", hours, MOST_HOURS) * 3600;
    const bytes = gib === undefined ? 0 : wholeNumber("--gib", gib, MOST_GIB) * 2 ** 30;
    return askRunningDaemon(
      io,
      "sessions-extend",
      sessionExtendSchema,
      (answer) =>
        printUnlessRefused(io, given.json, answer, ({ session }) => [
          `Session ${session.sessionId} at ${session.address}: ${standing(session, nowInSeconds())}.`,
        ]),
      { which: given.session, seconds, bytes },
    );
  },
});
