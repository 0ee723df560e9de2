import { isAuthoredEvent, type NostrEvent, tagsNamed, tagValues } from "./event.ts";
import { isMarketplaceTopic } from "./listing.ts";
import { PUBKEY_HEX, REPORT_KIND } from "./marketplace.ts";

/** NIP-56. */
const REPORT_TYPES = ["nudity", "malware", "profanity", "illegal", "spam", "impersonation", "other"] as const;

export type ReportType = (typeof REPORT_TYPES)[number];

/** A report of one or more operators (NIP-56, kind 1984). */
export interface Report {
  reporter: string;
  createdAt: number;
  content: string;
  operators: { pubkey: string; type?: ReportType | undefined }[];
  /** Ids of the events complained about. */
  eventIds: string[];
}

export type ParsedReport =
  | { ok: true; report: Report }
  | { ok: false; reason: "wrong-kind" | "not-europa-protocol" | "no-target" };

/** A type that NIP-56 does not know counts as missing. Does not check the signature. Never throws. */
export function parseReport(event: NostrEvent): ParsedReport {
  if (!isAuthoredEvent(event) || event.kind !== REPORT_KIND) return { ok: false, reason: "wrong-kind" };
  if (!tagValues(event, "t").some(isMarketplaceTopic)) return { ok: false, reason: "not-europa-protocol" };
  const operators = tagsNamed(event, "p").flatMap(([, pubkey = "", type]) => {
    if (!PUBKEY_HEX.test(pubkey)) return [];
    return [isReportType(type) ? { pubkey, type } : { pubkey }];
  });
  const eventIds = tagValues(event, "e");
  if (operators.length === 0 && eventIds.length === 0) return { ok: false, reason: "no-target" };
  const { pubkey: reporter, created_at: createdAt, content } = event;
  return { ok: true, report: { reporter, createdAt, content, operators, eventIds } };
}

function isReportType(text: string | undefined): text is ReportType {
  return REPORT_TYPES.some((type) => type === text);
}

/** Per operator how many reporters complained of each type; a missing type is `other`. */
export function aggregateReports(reports: readonly Report[]): Map<string, Map<ReportType, number>> {
  const counted = new Set<string>();
  const countsOf = new Map<string, Map<ReportType, number>>();
  for (const { reporter, operators } of reports) {
    for (const { pubkey, type = "other" } of operators) {
      const complaint = `${pubkey}:${reporter}:${type}`;
      if (counted.has(complaint)) continue;
      counted.add(complaint);
      const counts = countsOf.get(pubkey) ?? new Map<ReportType, number>();
      countsOf.set(pubkey, counts.set(type, (counts.get(type) ?? 0) + 1));
    }
  }
  return countsOf;
}
