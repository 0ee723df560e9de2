import { type Republished, republishedSchema } from "../wallet/republish.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json } from "./command.ts";
import { EXIT_UNKNOWN } from "./exit-codes.ts";
import { inColumns } from "./table.ts";

export const walletRepublish = command({
  name: "wallet republish",
  group: "Your money",
  summary: "fill relays that lack the wallet, or parts of it",
  options: { json },
  exits: {
    0: "every relay holds all of it",
    [EXIT_UNKNOWN]: "a relay does not hold all of it yet; the daemon tries on",
    ...askingExits,
  },
  run: (given, io) =>
    askRunningDaemon(io, "wallet-republish", republishedSchema, (result) => {
      for (const line of given.json ? [JSON.stringify(result)] : inWords(result)) io.print(line);
      return result.complete ? 0 : EXIT_UNKNOWN;
    }),
});

function inWords({ complete, events, relays, unknownEvents, silentMints }: Republished): string[] {
  const rows = relays.map(({ url, held, waiting, refused }) => [
    url,
    ...[held, waiting, refused].map(String),
  ]);
  return [
    ...inColumns([[`of ${events} events`, "held", "waiting", "refused"], ...rows]),
    "",
    ...(unknownEvents === 0
      ? []
      : [`${unknownEvents} events were left out: no answer from ${silentMints.join(", ") || "their mint"}`]),
    complete
      ? "Every relay holds the whole wallet."
      : "Not every relay holds the whole wallet yet; what waits is tried on by the daemon.",
  ];
}
