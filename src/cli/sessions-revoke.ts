import { LONGEST_REASON, type Revoked, sessionRevokeSchema } from "../daemon/sessions-report.ts";
import { printUnlessRefused } from "./answer.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json, UsageError } from "./command.ts";
import { EXIT_REFUSED } from "./exit-codes.ts";
import { whichSession } from "./sessions-show.ts";
import { counted } from "./words.ts";

export const sessionsRevoke = command({
  name: "sessions revoke",
  group: "Your buyers",
  summary: "end a session now, for a reason that stays in the book",
  about: [
    "Its peer goes off the interface at once. Nothing is refunded. The buyer who repeats his claim is told that it",
    "was revoked, not why. A payment for it that is under way is not lost: it brings up a tunnel of its own.",
  ],
  arguments: { session: whichSession },
  options: {
    reason: { summary: `why, for yourself; at most ${LONGEST_REASON} characters`, value: "text" },
    json,
  },
  exits: { 0: "revoked", [EXIT_REFUSED]: "no such session, or it does not run", ...askingExits },
  run(given, io) {
    const reason = given.reason?.trim() ?? "";
    if (reason === "") throw new UsageError("--reason <text> is missing: it stays in the book");
    if (reason.length > LONGEST_REASON) {
      throw new UsageError(`--reason has ${reason.length} characters, at most ${LONGEST_REASON} are kept`);
    }
    return askRunningDaemon(
      io,
      "sessions-revoke",
      sessionRevokeSchema,
      (answer) => printUnlessRefused(io, given.json, answer, inWords),
      { which: given.session, reason },
    );
  },
});

function inWords({ session, peerOff, underWay }: Revoked): string[] {
  const off = peerOff ? "its peer is off" : "its peer goes off as soon as the interface answers";
  return [
    `Session ${session.sessionId} at ${session.address} is revoked, ${off}.`,
    ...(underWay === 0
      ? []
      : [`${counted(underWay, "sale")} for it under way: once paid, the buyer gets a new tunnel for it.`]),
  ];
}
