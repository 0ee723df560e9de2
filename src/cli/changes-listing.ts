import { type ListingPublished, publishedSchema } from "../daemon/listing-report.ts";
import { printAnswer } from "./answer.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { type Command, command, json } from "./command.ts";
import { EXIT_REFUSED, EXIT_UNKNOWN } from "./exit-codes.ts";
import { inColumns } from "./table.ts";

interface ListingChange {
  /** Its name after `listing`, and the verb's. */
  word: "publish" | "pause" | "resume" | "retire";
  summary: string;
  about: readonly string[];
}

/** A command that puts the listing into another state, and shows what each relay made of it. */
export function changesListing({ word, summary, about }: ListingChange): Command {
  return command({
    name: `listing ${word}`,
    group: "Your listing",
    summary,
    about,
    options: { json },
    exits: {
      0: "every relay took it",
      [EXIT_REFUSED]: "nothing went out; what was asked for stands in the book, and the daemon tries on",
      [EXIT_UNKNOWN]: "not every relay took it yet; the daemon tries on with those that may still",
      ...askingExits,
    },
    run: (given, io) =>
      askRunningDaemon(io, `listing-${word}`, publishedSchema, (answer) => {
        printAnswer(io, given.json, answer, inWords);
        if (answer.failed !== null) return EXIT_REFUSED;
        return answer.relays.every(({ taken }) => taken) ? 0 : EXIT_UNKNOWN;
      }),
  });
}

const STANDINGS = {
  offered: "The listing is offered",
  paused: "The listing is paused: nobody new is sold to, renewals go on",
  retired: "The listing is retired: relays are asked to delete it, renewals go on",
} as const;

function inWords({ standing, status, failed, relays }: ListingPublished): string[] {
  const first = `${STANDINGS[standing]}${status === "sold" && standing === "offered" ? ", as sold" : ""}.`;
  if (failed !== null) return [first, `Nothing went out: ${failed}.`];
  return [
    first,
    ...inColumns(
      relays.map(({ url, said }) => [url, said]),
      2,
    ),
  ];
}
