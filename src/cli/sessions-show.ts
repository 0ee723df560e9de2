import { type SessionDetails, sessionShowSchema } from "../daemon/sessions-report.ts";
import { ratesInWords } from "../tunnels/rate-steps.ts";
import { printUnlessRefused } from "./answer.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json } from "./command.ts";
import { EXIT_REFUSED } from "./exit-codes.ts";
import { handshake } from "./session-words.ts";
import { inColumns } from "./table.ts";
import { moment, nowInSeconds, size, span } from "./words.ts";

export const whichSession = {
  summary: "the session's id, its first characters, or the address that it has now",
} as const;

export const sessionsShow = command({
  name: "sessions show",
  group: "Your buyers",
  summary: "one session, what was paid for it, and what you did to it",
  arguments: { session: whichSession },
  options: { json },
  exits: { 0: "shown", [EXIT_REFUSED]: "no such session, or several", ...askingExits },
  run: (given, io) =>
    askRunningDaemon(
      io,
      "sessions-show",
      sessionShowSchema,
      (answer) => printUnlessRefused(io, given.json, answer, (details) => inWords(details, nowInSeconds())),
      { which: given.session },
    ),
});

function inWords({ session, sales, acts }: SessionDetails, now: number): string[] {
  const { sessionId, address, shortKey, status, purchasedAt, endedAt } = session;
  return [
    ...inColumns(
      [
        ["session", sessionId],
        ["address", address],
        ["key", shortKey === "" ? "forgotten" : `${shortKey}…`],
        ["status", endedAt === null ? status : `${status} since ${moment(endedAt)}`],
        ["bought", moment(purchasedAt)],
        ...terms(session, now),
        ...(status === "active" ? [["peer", peer(session, now)]] : []),
      ],
      2,
    ),
    "",
    ...inColumns(
      sales.map(({ saleId, method, state, tier, faceSat, createdAt }) => [
        `sale ${saleId.slice(0, 8)}`,
        moment(createdAt),
        method,
        state,
        tier,
        `${faceSat} sat`,
      ]),
      5,
    ),
    ...acts.map(({ act, doneAt, reason, seconds, bytes }) =>
      act === "revoked"
        ? `revoked ${moment(doneAt)}: ${reason}`
        : `extended ${moment(doneAt)} by ${seconds > 0 ? span(seconds) : size(bytes)}`,
    ),
  ];
}

function terms(
  { timeUntil, quotaBytes, usedBytes, dataUntil, expiresAt, status, rates }: SessionDetails["session"],
  now: number,
) {
  const rows: string[][] = [];
  if (timeUntil !== null) {
    const left = status === "active" && timeUntil > now ? ` (${span(timeUntil - now)} left)` : "";
    rows.push(["time", `until ${moment(timeUntil)}${left}`]);
  }
  if (quotaBytes !== null) {
    const until = dataUntil === null ? "" : `, until ${moment(dataUntil)}`;
    rows.push(["data", `${size(usedBytes)} of ${size(quotaBytes)} used${until}`]);
  }
  if (status === "active" && expiresAt === null && quotaBytes === null) rows.push(["time", "without an end"]);
  const rate = ratesInWords(rates, moment, size);
  if (rate !== undefined) rows.push(["rate", rate]);
  return rows;
}

function peer(session: SessionDetails["session"], now: number): string {
  if (session.peer === null) return "not on the interface, or the interface does not answer";
  const last = handshake(session, now);
  return last === "never" ? "up, never shook hands" : `up, last handshake ${last}`;
}
