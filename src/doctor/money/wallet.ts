import { WALLET_KIND } from "../../wallet/codec.ts";
import type { Check } from "../check.ts";
import { type Finding, fail, ok, unseen, warn } from "../finding.ts";

/** The NIP-60 wallet: without it the daemon takes no ecash. */
export const wallet: Check = {
  name: "wallet",
  group: "money",
  async look(subject): Promise<Finding> {
    if (subject.config.cashu === undefined) return ok("Cashu is off, so there is no wallet");
    const shown = await subject.walletEvents();
    const answered = shown.flatMap((answer) => ("events" in answer ? [answer] : []));
    if (answered.length === 0) return unseen("no relay answers: see relay-read");
    const holding = answered.filter(({ events }) => events.some(({ kind }) => kind === WALLET_KIND));
    const { standing } = await subject.running();
    if (holding.length === 0) {
      return fail(
        "no relay that answers has the wallet (kind 17375)",
        standing === undefined
          ? "the daemon makes it at its first start: see daemon"
          : "europa-node wallet republish",
      );
    }
    const where = `${holding.length} of ${shown.length} relays have the wallet`;
    const waiting = standing?.wallet ?? undefined;
    if (waiting !== undefined && waiting.events + waiting.proofs > 0) {
      return warn(
        `${where}; ${waiting.events} events and ${waiting.proofs} proofs are on this disk alone and wait for a relay`,
        "see relay-write and write-policy; they are sent by themselves, or at once: europa-node wallet republish",
      );
    }
    if (standing === undefined) return ok(`${where}; what waits in the daemon is not known`);
    return ok(`${where}, and nothing waits`);
  },
};
