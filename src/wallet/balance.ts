import type { Relays } from "../nostr/relays.ts";
import type { WalletCodec } from "./codec.ts";
import { readWalletView, satByMintIn, type WalletView } from "./wallet-view.ts";

export interface WalletBalance extends Pick<WalletView, "unreadable" | "silent"> {
  /** Sums in sat by mint URL, as the events spell it. */
  satByMint: Map<string, number>;
}

/** What the relays hold, as any NIP-60 client adds it up: kind 7375 less those named in a `del` or a kind 5. */
export async function readBalance(
  relays: Pick<Relays, "query">,
  codec: Pick<WalletCodec, "readToken">,
  pubkeyHex: string,
  deadlineMs: number,
): Promise<WalletBalance> {
  const view = await readWalletView(relays, codec, pubkeyHex, deadlineMs);
  return { satByMint: satByMintIn(view), unreadable: view.unreadable, silent: view.silent };
}
