import type { StatusReport } from "../daemon/status-report.ts";
import type { Paint } from "./paint.ts";
import { counted, moment, span } from "./words.ts";

const MOST_TROUBLES = 5;

/** What is looked at first: who this is, whether it sells, and what is wrong. Pure. */
export function statusHead(report: StatusReport, paint: Paint): string[] {
  const { version, publicHost, at, startedAt } = report;
  return [
    `${paint.bold(`europa-node ${version} at ${publicHost}`)}, up ${span(at - startedAt)}, ${moment(at)}`,
    listingLine(report, paint),
    ...troubleLines(report, paint),
  ];
}

function listingLine({ listing, restored }: StatusReport, paint: Paint): string {
  const { standing, closed, dTag, pausedBy } = listing;
  if (standing === "retired") return paint.odd(`listing ${dTag} is retired: nobody new is sold to`);
  if (standing === "paused" && pausedBy === "restored" && restored !== null) {
    return paint.odd(
      `listing ${dTag} is paused: this book goes on from a backup of ${moment(restored.backupAt)}; ` +
        "see `restore --report`, then `listing resume`",
    );
  }
  if (standing === "paused") return paint.odd(`listing ${dTag} is paused: nobody new is sold to`);
  return closed === null
    ? `listing ${dTag} is ${paint.good("offered")}`
    : paint.bad(`listing ${dTag} is out as sold: ${closed}`);
}

function troubleLines({ troubles, at }: StatusReport, paint: Paint): string[] {
  const shown = troubles
    .slice(0, MOST_TROUBLES)
    .map(({ name, since, words }) => paint.bad(`${name}, for ${span(at - since)}: ${words}`));
  const rest = troubles.length - shown.length;
  return rest === 0 ? shown : [...shown, paint.bad(`and ${counted(rest, "trouble")} more`)];
}
