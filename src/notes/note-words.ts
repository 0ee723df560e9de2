import type { SaleNote, SoldGroup } from "./sale-feed.ts";
import type { Summary } from "./summary-store.ts";
import type { Trouble, TroubleNote } from "./trouble-board.ts";

/** Lines of a list in a note; tiers and mints are the operator's own, and few. */
const MOST_LINES = 20;
const LONGEST_WORDS = 600;

/** What the heartbeat tells beside the sums of the book. */
export interface Pulse {
  summary: Summary;
  /** Unix seconds since when sales are counted. */
  since: number;
  pool: { live: number; free: number };
  troubles: readonly Trouble[];
}

export function troubleWords(note: TroubleNote): string {
  switch (note.kind) {
    case "trouble":
      return `Trouble: ${inFull(note.trouble)}`;
    case "well": {
      const { name, since } = note.former;
      return `Well again: ${name}, after ${inWords(note.at - since)}.`;
    }
    case "unsteady": {
      const last = note.now ? `Now it is in trouble: ${inFull(note.now)}` : "Now it is well.";
      return `Unsteady: ${note.name} changed ${note.changes} times within the last hours. ${last}`;
    }
  }
}

function inFull({ name, words, since, event }: Trouble): string {
  return `${name}\n${words.slice(0, LONGEST_WORDS)}\nSince ${isoMinute(since)}. In the log: ${event}.`;
}

export function saleWords(note: SaleNote): string {
  if (note.kind === "sale") {
    const { amountSat, tier, method } = note.sold;
    return `Sold: ${amountSat} sat, ${tier}, ${method}.`;
  }
  const { groups } = note;
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const sat = groups.reduce((sum, group) => sum + group.amountSat, 0);
  return [`Sold in ten minutes: ${counted(count)}, ${sat} sat.`, ...lines(groups, groupWords)].join("\n");
}

function groupWords({ count, tier, method, amountSat }: SoldGroup): string {
  return `${tier}, ${method}: ${counted(count)}, ${amountSat} sat`;
}

export function pulseWords({ summary, since, pool, troubles }: Pulse): string {
  const { sales, balances } = summary;
  return [
    troubles.length === 0 ? "All is well." : `In trouble: ${troubles.map(({ name }) => name).join(", ")}.`,
    `Sales since ${isoMinute(since)}:${sales.length === 0 ? " none." : ""}`,
    ...lines(sales, ({ method, count, amountSat }) => `${method}: ${counted(count)}, ${amountSat} sat`),
    `Live sessions: ${pool.live}; free addresses: ${pool.free}.`,
    `Ecash that came in and is not known as spent:${balances.length === 0 ? " none." : ""}`,
    ...lines(balances, ({ mintUrl, amountSat }) => `${mintUrl}: ${amountSat} sat`),
  ].join("\n");
}

function lines<T>(items: readonly T[], inWords: (item: T) => string): string[] {
  const shown = items.slice(0, MOST_LINES).map((item) => `- ${inWords(item)}`);
  const left = items.length - shown.length;
  return left > 0 ? [...shown, `- and ${left} more`] : shown;
}

function counted(count: number): string {
  return count === 1 ? "1 sale" : `${count} sales`;
}

function isoMinute(unixSeconds: number): string {
  return `${new Date(unixSeconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, seconds)} seconds`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} hours` : `${Math.round(seconds / 86_400)} days`;
}
