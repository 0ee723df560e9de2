import { type EstablishOptions, establishWallet } from "../wallet/establish.ts";
import { StartRefused } from "./start-refused.ts";

/** Silence longer than this is explained. */
const QUIET_MS = 6_000;

/** The daemon does not take what it cannot keep: without a wallet on a relay it does not sell for ecash at all. */
export async function requireWallet(options: EstablishOptions): Promise<void> {
  const { logger } = options;
  const saying = setTimeout(() => {
    logger.warn(
      { event: "wallet-waiting" },
      "no relay has your wallet yet, or not all answer: they are asked for a minute",
    );
  }, QUIET_MS);
  const outcome = await establishWallet(options).finally(() => clearTimeout(saying));
  if (outcome.kind === "established") return;
  const said = outcome.relays.map((relay) => `${relay.url} said: ${relay.said}`).join("; ");
  throw new StartRefused(
    `no NIP-60 wallet, and ecash is not taken without one: ${outcome.why}. ${said}. ` +
      "Check nostr.relays, or turn cashu.enabled off. Running tunnels stay up",
    1,
  );
}
