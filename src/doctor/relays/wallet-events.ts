import type { RelayEvents } from "../../nostr/relay-queries.ts";
import type { Relays } from "../../nostr/relays.ts";
import { HISTORY_KIND, TOKEN_KIND, WALLET_KIND } from "../../wallet/codec.ts";

export const DELETION_KIND = 5;
/** NIP-60. */
export const WALLET_KINDS: readonly number[] = [WALLET_KIND, TOKEN_KIND, HISTORY_KIND];

const WITHIN_MS = 5_000;

/** The operator's wallet as each relay shows it, deletions included. */
export function readWalletEvents(relays: Pick<Relays, "query">, pubkey: string): Promise<RelayEvents[]> {
  return relays.query({ kinds: [...WALLET_KINDS, DELETION_KIND], authors: [pubkey] }, WITHIN_MS);
}
