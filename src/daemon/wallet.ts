import type { Mints } from "../cashu/mints.ts";
import { readIdentity } from "../nostr/identity.ts";
import { connectRelays } from "../nostr/relays.ts";
import { adoptPublished } from "../wallet/adopt.ts";
import { createWalletCodec } from "../wallet/codec.ts";
import { createComparisonStore } from "../wallet/comparison-store.ts";
import { createOutbox } from "../wallet/outbox.ts";
import { createWalletStore } from "../wallet/wallet-store.ts";
import type { Context } from "./context.ts";
import type { Records } from "./records.ts";
import { requireWallet } from "./wallet-at-start.ts";

const OUTBOX_MS = 1_000;

export type Wallet = Awaited<ReturnType<typeof openWallet>>;

/** The relays, and the NIP-60 wallet on them, without which no ecash is taken. */
export async function openWallet(
  context: Context,
  { book, durability, database, restored }: Records,
  mints: Mints,
) {
  const { config, flags, logger, clock, life } = context;
  const { pubkeyHex, secretKey } = readIdentity(config.nostr.secretKeyHex);
  const relays = await connectRelays({ urls: config.nostr.relays, secretKey, clock, logger });
  life.onClose(() => relays.close());
  const store = createWalletStore(book, durability);
  const codec = createWalletCodec(secretKey);
  const outbox = createOutbox({ relays, codec, store, clock, logger });
  life.onClose(() => outbox.stop());
  if (config.cashu) {
    const mintUrls = mints.all().map((mint) => mint.url);
    const { createWallet } = flags;
    await requireWallet({ relays, codec, store, pubkeyHex, mintUrls, createWallet, clock, logger });
  }
  if (config.cashu && restored.walletUnread()) {
    const adoption = { relays, codec, store: createComparisonStore(book), pubkeyHex, clock, logger };
    if (await adoptPublished(adoption)) restored.walletRead();
  }
  life.onChange(outbox.poke);
  // What cannot be written down as wrapped or taken would be signed and sent again and again.
  life.job("outbox", OUTBOX_MS, () => (database.writable() ? outbox.flush() : undefined));
  return { pubkeyHex, secretKey, relays, store, codec, outbox };
}
