import * as nip44 from "nostr-tools/nip44";
import type { NostrEvent } from "nostr-tools/pure";
import { getPublicKey } from "nostr-tools/pure";
import { Relay, useWebSocketImplementation } from "nostr-tools/relay";
import { WebSocket } from "ws";

export interface WalletProof {
  id: string;
  amount: number;
  secret: string;
  C: string;
}

interface TokenContent {
  mint: string;
  proofs: WalletProof[];
  del?: string[];
}

const TOKEN_KIND = 7375;
const DELETION_KIND = 5;
const PAGE = 200;

/** The operator's proofs as a NIP-60 client finds them that knows nothing but his key and his relays. */
export async function readWalletProofs(
  relayUrls: readonly string[],
  secretKeyHex: string,
): Promise<WalletProof[]> {
  const secretKey = Uint8Array.from(Buffer.from(secretKeyHex, "hex"));
  const pubkey = getPublicKey(secretKey);
  const ownKey = nip44.getConversationKey(secretKey, pubkey);
  const events = new Map<string, NostrEvent>();
  for (const url of relayUrls) {
    for (const event of await readAll(url, pubkey)) events.set(event.id, event);
  }
  const gone = new Set<string>();
  const tokens: { id: string; content: TokenContent }[] = [];
  for (const event of events.values()) {
    if (event.kind === DELETION_KIND) {
      for (const [name, value] of event.tags) if (name === "e" && value) gone.add(value);
      continue;
    }
    const content = JSON.parse(nip44.decrypt(event.content, ownKey)) as TokenContent;
    for (const id of content.del ?? []) gone.add(id);
    tokens.push({ id: event.id, content });
  }
  const live = tokens.filter(({ id }) => !gone.has(id)).flatMap(({ content }) => content.proofs);
  return [...new Map(live.map((proof) => [proof.secret, proof])).values()];
}

/** Pages back by `until`: relays cap what one query is answered with. */
async function readAll(url: string, author: string): Promise<NostrEvent[]> {
  useWebSocketImplementation(WebSocket);
  const relay = await Relay.connect(url);
  try {
    const found = new Map<string, NostrEvent>();
    for (let until = Math.floor(Date.now() / 1000) + 60; ; ) {
      const page = await query(relay, author, until);
      const before = found.size;
      for (const event of page) found.set(event.id, event);
      if (found.size === before) return [...found.values()];
      until = Math.min(...page.map((event) => event.created_at));
    }
  } finally {
    relay.close();
  }
}

function query(relay: Relay, author: string, until: number): Promise<NostrEvent[]> {
  return new Promise((resolve) => {
    const events: NostrEvent[] = [];
    const filter = { kinds: [TOKEN_KIND, DELETION_KIND], authors: [author], until, limit: PAGE };
    const subscription = relay.subscribe([filter], {
      onevent: (event) => void events.push(event),
      oneose: () => {
        subscription.close();
        resolve(events);
      },
    });
  });
}
