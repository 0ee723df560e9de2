import { type Republished, republishedSchema } from "../wallet/republish.ts";
import { askRunningDaemon, type CommandIo } from "./ask-running-daemon.ts";
import { EXIT_UNKNOWN } from "./exit-codes.ts";
import { inColumns } from "./table.ts";

/** `europa-node wallet republish [--json]`. Exit code 0: every relay holds all of it, 2: not yet, 69: no daemon. */
export function republishWalletCommand(io: CommandIo, asJson: boolean): Promise<number> {
  return askRunningDaemon(io, "wallet-republish", republishedSchema, (result) => {
    for (const line of asJson ? [JSON.stringify(result)] : inWords(result)) io.print(line);
    return result.complete ? 0 : EXIT_UNKNOWN;
  });
}

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
