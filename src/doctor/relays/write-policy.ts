import type { RelayEvents } from "../../nostr/relay-queries.ts";
import type { NostrEvent } from "../../protocol/event.ts";
import { tagValues } from "../../protocol/event.ts";
import type { Check } from "../check.ts";
import { type Finding, ok, unseen, warn } from "../finding.ts";
import { newestOf } from "../listing/own-listing.ts";
import type { Subject } from "../subject.ts";
import { anotherRelay } from "./relays.ts";
import { DELETION_KIND, WALLET_KINDS as KINDS } from "./wallet-events.ts";

const WITHIN_MS = 5_000;

/**
 * Whether each relay takes the wallet's kinds. One that shows an event of a kind has taken it. Another one is sent the
 * newest that exists, the same bytes, unless its author deleted it: nothing new comes into being.
 */
export const writePolicy: Check = {
  name: "write-policy",
  group: "relays",
  async look(subject): Promise<Finding[]> {
    if (subject.config.cashu === undefined) return [ok("Cashu is off, so there is no wallet to keep")];
    const [relays, shown] = await Promise.all([subject.relays(), subject.walletEvents()]);
    const deleted = new Set(
      shown
        .flatMap((answer) => ("events" in answer ? answer.events : []))
        .flatMap((event) => (event.kind === DELETION_KIND ? tagValues(event, "e") : [])),
    );
    const newest = KINDS.map((kind) => ({ kind, event: newestOf(live(shown, kind, deleted)) }));
    return Promise.all(
      shown.map(async (answer): Promise<Finding> => {
        const { url } = answer;
        if ("silent" in answer) return unseen(`${url} does not answer: see relay-read`);
        const refused: string[] = [];
        const unknown: number[] = [];
        const lacking = newest.filter(({ kind }) => !answer.events.some((held) => held.kind === kind));
        const send = async ({ kind, event }: (typeof newest)[number]) => {
          if (event === undefined) return unknown.push(kind);
          const [said] = await relays.publish(event, { deadlineMs: WITHIN_MS, only: [url] });
          if (said?.kind === "refused") refused.push(`${kind} ("${said.said}")`);
          if (said?.kind === "no-answer") unknown.push(kind);
        };
        await Promise.all(lacking.map(send));
        return judge(url, refused, unknown, subject);
      }),
    );
  },
};

function live(shown: readonly RelayEvents[], kind: number, deleted: ReadonlySet<string>): NostrEvent[] {
  const events = shown.flatMap((answer) => ("events" in answer ? answer.events : []));
  return events.filter((event) => event.kind === kind && !deleted.has(event.id));
}

function judge(url: string, refused: string[], unknown: number[], subject: Subject): Finding {
  if (refused.length > 0) {
    return warn(
      `${url} does not take kind ${refused.join(", ")}: it keeps no copy of the wallet`,
      anotherRelay(url, subject),
    );
  }
  const taken = KINDS.filter((kind) => !unknown.includes(kind));
  if (taken.length === 0)
    return unseen(`${url}: no event of kind ${KINDS.join(", ")} exists yet that could be sent`);
  const rest = unknown.length === 0 ? "" : `; of kind ${unknown.join(", ")} there is none yet, or no answer`;
  return ok(`${url} takes kind ${taken.join(", ")}${rest}`);
}
