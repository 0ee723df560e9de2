import type { StatusReport } from "../daemon/status-report.ts";
import { rateInWords } from "../tunnels/rate-steps.ts";
import { onRelay } from "./listing-show.ts";
import type { Paint } from "./paint.ts";
import { statusHead } from "./status-head.ts";
import { inColumns } from "./table.ts";
import { ago, counted, size } from "./words.ts";

const MOST_PEERS = 5;

/** The report for a terminal, about 80 by 30. Pure. */
export function statusScreen(report: StatusReport, paint: Paint): string[] {
  return [
    ...statusHead(report, paint),
    "",
    ...salesTable(report),
    "",
    ...facts([
      ["tunnels", tunnels(report)],
      ...rates(report, paint),
      ["owed", waiting(report.open.owed, report.at, paint.bad, "nothing")],
      ["unresolved", waiting(report.open.unresolved, report.at, paint.odd, "nothing")],
      ...wallet(report, paint),
      ...lightning(report, paint),
      ["interface", wellOr(report.tunnels.trouble, `${report.tunnels.interface} is up`, paint)],
      ...unknownPeers(report, paint),
      ["disk", disk(report, paint)],
    ]),
    "",
    ...facts([...mints(report, paint), ...relays(report, paint)]),
  ];
}

function salesTable({ sales: { ways, total } }: StatusReport): string[] {
  if (ways.length === 0) return ["nothing was sold in 30 days"];
  const row = (name: string, { day, week, month }: typeof total) => [
    name,
    ...[day, week, month].flatMap(({ sales, sat }) => [String(sales), String(sat)]),
  ];
  return inColumns([
    ["sold", "24 h", "sat", "7 d", "sat", "30 d", "sat"],
    ...ways.map((way) => row(way.mintUrl ?? "Lightning", way)),
    ...(ways.length === 1 ? [] : [row("all", total)]),
  ]);
}

/** Labels in a column; what follows may be coloured, so it is not padded. */
function facts(rows: readonly (readonly [label: string, text: string])[]): string[] {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`);
}

function tunnels({ tunnels: { live, endingWithinDay, poolFree, poolSize } }: StatusReport): string {
  return `${live} run, ${endingWithinDay} to end within a day; ${poolFree} of ${poolSize} addresses are free`;
}

function waiting(
  { sales, sat, oldestAt }: StatusReport["open"]["owed"],
  now: number,
  colour: (text: string) => string,
  none: string,
): string {
  if (oldestAt === null) return none;
  return colour(`${counted(sales, "sale")} over ${sat} sat, the oldest from ${ago(oldestAt, now)}`);
}

function wallet({ wallet: shown }: StatusReport, paint: Paint): [string, string][] {
  if (shown === null) return [];
  const { events, proofs, sat } = shown.outbox;
  const outbox =
    events + proofs === 0
      ? "all on a relay"
      : paint.odd(
          `${sat} sat on no relay yet, in ${counted(events, "event")} and ${counted(proofs, "proof")}`,
        );
  return [["wallet", `${shown.totalSat} sat by the book, ${outbox}`]];
}

function lightning({ lightning: shown, open }: StatusReport, paint: Paint): [string, string][] {
  if (shown === null) return [];
  const invoices = counted(open.unpaidInvoices, "unpaid invoice");
  return [["Lightning", `${wellOr(shown.trouble, `${shown.backend} answers`, paint)}, ${invoices}`]];
}

function rates({ tunnels: { rates: shown } }: StatusReport, paint: Paint): [string, string][] {
  const { defaultMbit, areSold, areHeld } = shown;
  if (!areSold) return [];
  if (!areHeld) return [["rates", paint.odd("sold, and nothing holds tunnels to them (rates-not-held)")]];
  return [
    ["rates", `${defaultMbit === null ? "no limit" : rateInWords(defaultMbit)} where a tier names none`],
  ];
}

function unknownPeers({ tunnels: shown }: StatusReport, paint: Paint): [string, string][] {
  const { unknownPeers: peers, unknownPeerCount: count } = shown;
  if (count === 0) return [];
  const named = peers
    .slice(0, MOST_PEERS)
    .map(({ shortKey, allowedIps }) => `  ${shortKey}…  ${allowedIps.join(" ")}`);
  const rest = count > named.length ? [`  and ${count - named.length} more`] : [];
  const lines = [
    `${counted(count, "peer")} that the book does not know; their addresses are not sold`,
    ...named,
    ...rest,
  ];
  return lines.map((line, index) => [index === 0 ? "unknown" : "", paint.odd(line)]);
}

function disk({ disk: { freeBytes, databaseBytes, trouble } }: StatusReport, paint: Paint): string {
  return wellOr(trouble, `${size(freeBytes)} free, the book has ${size(databaseBytes)}`, paint);
}

function mints({ mints: shown, at }: StatusReport, paint: Paint): [string, string][] {
  return shown.map(({ url, answeredAt, trouble }) => {
    const last = answeredAt === null ? "never answered" : `answered ${ago(answeredAt, at)}`;
    return [url, trouble === null ? last : paint.bad(`${trouble}; ${last}`)];
  });
}

function relays({ relays: shown, at }: StatusReport, paint: Paint): [string, string][] {
  return shown.map((relay) => {
    const says = onRelay(relay, at).filter(Boolean).join(", ");
    return [relay.url, relay.has === "as-wanted" ? `listing ${says}` : paint.odd(`listing ${says}`)];
  });
}

function wellOr(trouble: string | null, well: string, paint: Paint): string {
  return trouble === null ? well : paint.bad(trouble);
}
