import type { SessionReport } from "../daemon/sessions-report.ts";
import { rateInWords } from "../tunnels/rate-steps.ts";
import { ago, moment, size, span } from "./words.ts";

/** What is left of it, or when it ended. */
export function standing(session: SessionReport, now: number): string {
  const { status, endedAt } = session;
  if (status !== "active") return endedAt === null ? "" : moment(endedAt);
  return [timeLeft(session, now), dataLeft(session)].filter(Boolean).join(", ") || "no end";
}

function timeLeft({ timeUntil }: SessionReport, now: number): string {
  return timeUntil !== null && timeUntil > now ? `${span(timeUntil - now)} left` : "";
}

function dataLeft({ quotaBytes, usedBytes }: SessionReport): string {
  return quotaBytes === null ? "" : `${size(Math.max(0, quotaBytes - usedBytes))} left`;
}

/** What holds now; empty for no limit. */
export function rateNow({ rates }: SessionReport): string {
  const rateMbit = rates[0]?.rateMbit ?? null;
  return rateMbit === null ? "" : rateInWords(rateMbit);
}

export function handshake({ peer }: SessionReport, now: number): string {
  if (peer === null) return "";
  return peer.lastHandshakeAt === null ? "never" : ago(peer.lastHandshakeAt, now);
}
