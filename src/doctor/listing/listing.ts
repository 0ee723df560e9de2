import { isStale } from "../../protocol/listing.ts";
import type { Check } from "../check.ts";
import { startCommand } from "../daemon/start-command.ts";
import { type Finding, fail, ok, unseen, warn } from "../finding.ts";

const WHY_SOLD =
  "see what fails here, and the daemon's log; it says active again by itself, or, if you paused it: europa-node listing resume";

/** Relay by relay: a directory asks one of them. */
export const listing: Check = {
  name: "listing",
  group: "listing",
  async look(subject): Promise<Finding[]> {
    const { relays, newest } = await subject.listing();
    return relays.map(({ url, event, silent }) => {
      if (silent !== undefined) return unseen(`${url} does not say: ${silent}`);
      if (event === undefined) {
        const mend = `see relay-write, and whether the daemon runs; then as root: ${startCommand("restart")}`;
        return fail(`${url} has no listing ${subject.config.listing.dTag} of this operator`, mend);
      }
      if (newest !== undefined && event.created_at < newest.event.created_at) {
        return warn(
          `${url} shows a former listing`,
          "see relay-write: it is published again within listing.refresh_minutes",
        );
      }
      return ok(`${url} shows it`);
    });
  },
};

/** As a directory reads it. */
export const listingShape: Check = {
  name: "listing-shape",
  group: "listing",
  async look(subject): Promise<Finding> {
    const { newest } = await subject.listing();
    if (newest === undefined) return noListing();
    if (!newest.parsed.ok) {
      return fail(
        `directories do not read the listing (${newest.parsed.reason})`,
        `let this daemon publish it: ${startCommand("restart")}`,
      );
    }
    if (isStale(newest.event, subject.clock.now())) {
      return fail(
        "the listing is older than 30 days, and left out by directories",
        `as root: ${startCommand("restart")}`,
      );
    }
    if (newest.parsed.listing.status === "sold") return warn("the listing says sold", WHY_SOLD);
    return ok("directories read it, and it says active");
  },
};

export function noListing(): Finding {
  return unseen("no relay shows a listing: see listing");
}
