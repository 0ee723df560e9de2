import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Relays } from "../nostr/relays.ts";
import type { WalletCodec } from "./codec.ts";
import type { ComparisonStore } from "./comparison-store.ts";
import { readWalletView } from "./wallet-view.ts";

const RELAY_DEADLINE_MS = 5_000;

interface AdoptionParts {
  relays: Pick<Relays, "urls" | "query">;
  codec: Pick<WalletCodec, "readToken">;
  store: Pick<ComparisonStore, "held" | "adopt" | "withdraw">;
  pubkeyHex: string;
  clock: Clock;
  logger: Logger;
}

/**
 * A restored book has proofs in its outbox that the lost one had published: they are in the event that the relays
 * show, and are not wrapped into a second one. To be called before the outbox is. False when a relay did not answer.
 */
export async function adoptPublished(parts: AdoptionParts): Promise<boolean> {
  const { relays, codec, store, pubkeyHex, clock, logger } = parts;
  const view = await readWalletView(relays, codec, pubkeyHex, RELAY_DEADLINE_MS);
  const unwrapped = new Map(
    store.held().flatMap(({ secret, y, eventId }) => (eventId === null ? [[secret, y] as const] : [])),
  );
  store.withdraw(view.gone, clock.now());
  let adopted = 0;
  for (const { event, content } of view.live) {
    const ys = content.proofs.flatMap(({ secret }) => unwrapped.get(secret) ?? []);
    if (ys.length === 0) continue;
    for (const { secret } of content.proofs) unwrapped.delete(secret);
    const heldBy = [...view.shownBy].filter(([, ids]) => ids.has(event.id)).map(([url]) => url);
    store.adopt(event, ys, { relayUrls: relays.urls, heldBy, now: clock.now() });
    adopted += ys.length;
  }
  logger.info({ event: "wallet-adopted", proofs: adopted, silentRelays: view.silent });
  return view.silent.length === 0;
}
