import { setImmediate as letOthersRun } from "node:timers/promises";
import type { Relays } from "../nostr/relays.ts";
import { type NostrEvent, tagValues } from "../protocol/event.ts";
import { TOKEN_KIND, type TokenContent, WALLET_KIND, type WalletCodec } from "./codec.ts";

const DELETION_KIND = 5;

export interface LiveToken {
  id: string;
  event: NostrEvent;
  content: TokenContent;
}

/** What the relays hold of a wallet, each kind 7375 once, as any NIP-60 client reads it. */
export interface WalletView {
  /** Kind 7375 that could be read and that no `del` and no kind 5 names. */
  live: LiveToken[];
  /** Ids that a `del` or a kind 5 names. */
  gone: ReadonlySet<string>;
  /** Kind 17375, newest first; of one second the lower id first (NIP-01). */
  wallets: NostrEvent[];
  /** Kind 7375 events that could not be read. */
  unreadable: number;
  /** Ids of the events that each relay showed; only relays that answered to the last page are in it. */
  shownBy: ReadonlyMap<string, ReadonlySet<string>>;
  /** Relays that did not answer, and what is known of why: the view may lack what only they hold. */
  silent: { url: string; said: string }[];
}

/** Reads all relays to their last page. Never throws. */
export async function readWalletView(
  relays: Pick<Relays, "query">,
  codec: Pick<WalletCodec, "readToken">,
  pubkeyHex: string,
  deadlineMs: number,
): Promise<WalletView> {
  const kinds = [TOKEN_KIND, DELETION_KIND, WALLET_KIND];
  const answers = await relays.query({ kinds, authors: [pubkeyHex] }, deadlineMs);
  const events = new Map<string, NostrEvent>();
  const shownBy = new Map<string, ReadonlySet<string>>();
  const silent: WalletView["silent"] = [];
  for (const answer of answers) {
    if ("silent" in answer) {
      silent.push({ url: answer.url, said: answer.silent });
      continue;
    }
    shownBy.set(answer.url, new Set(answer.events.map((event) => event.id)));
    for (const event of answer.events) events.set(event.id, event);
  }
  const all = [...events.values()];
  const wallets = all.filter((event) => event.kind === WALLET_KIND).sort(newestFirst);
  return { ...(await readTokens(all, codec)), wallets, shownBy, silent };
}

async function readTokens(
  events: readonly NostrEvent[],
  codec: Pick<WalletCodec, "readToken">,
): Promise<Pick<WalletView, "live" | "gone" | "unreadable">> {
  const gone = new Set<string>();
  const tokens: LiveToken[] = [];
  let unreadable = 0;
  for (const event of events) {
    if (event.kind === DELETION_KIND) for (const id of tagValues(event, "e")) gone.add(id);
    if (event.kind !== TOKEN_KIND) continue;
    // Decrypting is curve arithmetic, and a wallet may have thousands of events.
    await letOthersRun();
    const content = await codec.readToken(event);
    if (content === undefined) {
      unreadable += 1;
      continue;
    }
    tokens.push({ id: event.id, event, content });
    for (const id of content.replaces) gone.add(id);
  }
  return { live: tokens.filter(({ id }) => !gone.has(id)), gone, unreadable };
}

/** Sums in sat by mint URL, as the events spell it; a proof that stands in two events counts once. */
export function satByMintIn({ live }: Pick<WalletView, "live">): Map<string, number> {
  const satByMint = new Map<string, number>();
  const counted = new Set<string>();
  for (const { content } of live) {
    if (content.unit !== "sat") continue;
    for (const { secret, amountSat } of content.proofs) {
      if (counted.has(secret)) continue;
      counted.add(secret);
      satByMint.set(content.mintUrl, (satByMint.get(content.mintUrl) ?? 0) + amountSat);
    }
  }
  return satByMint;
}

/** NIP-01: of two replaceable events of one second, the lower id stays. */
export function newestFirst(a: NostrEvent, b: NostrEvent): number {
  return b.created_at - a.created_at || (a.id < b.id ? -1 : 1);
}
