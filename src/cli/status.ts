import { statusReportSchema } from "../daemon/status-report.ts";
import { printAnswer } from "./answer.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json } from "./command.ts";
import { createPaint } from "./paint.ts";
import { statusScreen } from "./status-screen.ts";

export const status = command({
  name: "status",
  group: "Each morning",
  summary: "what is wrong, sales, tunnels, what is owed, wallet, relays, mints and disk in one screen",
  about: ["The relays are asked for the listing, which takes some seconds where one does not answer."],
  options: { json },
  exits: { 0: "shown, whatever it says", ...askingExits },
  run: (given, io) =>
    askRunningDaemon(io, "status", statusReportSchema, (report) => {
      printAnswer(io, given.json, report, (shown) => statusScreen(shown, createPaint(io.inColor)));
      return 0;
    }),
});
