import * as z from "zod";
import type { PauseCause } from "./pause.ts";

/** What `europa-node restore --report` shows. Times in unix seconds. */
export const restoreReportSchema = z.object({
  /** Null: this book was never restored, and all else is empty. */
  backupAt: z.number().nullable(),
  startedAt: z.number().nullable(),
  paused: z.boolean(),
  sessions: z.object({ live: z.number(), up: z.union([z.number(), z.literal("unknown")]) }),
  /** Ecash that came in after the backup, by the wallet's history on the relays. */
  since: z.object({
    entries: z.number(),
    soldSat: z.number(),
    walletSat: z.number(),
    lostSat: z.number(),
  }),
  /** Proofs of the book that the mint calls spent, in sat, and those of which nobody says anything. */
  spentSat: z.number(),
  unknownSat: z.number(),
  /** Sales that the backup had open and that are still not at rest. */
  openSales: z.number(),
  lightning: z.enum(["off", "asked", "silent"]),
  /** Relays that did not answer: what only they hold is in none of the sums. */
  silent: z.array(z.string()),
  /** What could not be asked, and what nobody can know, in words. */
  unknown: z.array(z.string()),
});

export type RestoreReport = z.infer<typeof restoreReportSchema>;

export interface RestoreFacts extends Omit<RestoreReport, "paused" | "unknown"> {
  pause: PauseCause | undefined;
}

/** Adds in words what the figures do not say. Pure. */
export function reportRestore({ pause, ...facts }: RestoreFacts): RestoreReport {
  const unknown = facts.backupAt === null ? [] : unknownParts(facts);
  return { ...facts, paused: pause !== undefined, unknown };
}

function unknownParts(facts: Omit<RestoreReport, "paused" | "unknown">): string[] {
  return [
    ...facts.silent.map((url) => `${url} did not answer: what only it knows is in none of the sums`),
    ...(facts.lightning === "silent"
      ? ["the Lightning node did not answer: payments since the backup are not known yet"]
      : []),
    ...(facts.lightning === "off"
      ? []
      : ["invoices made and paid after the backup: your node's own list of payments has their sums"]),
    "who bought after the backup: those tunnels are down, and their buyers are told to ask you",
    "ecash that came in after the backup and had reached no relay when the disk was lost",
    "data used after the backup: it is not charged",
  ];
}
