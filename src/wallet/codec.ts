import { NDKCashuWallet } from "@nostr-dev-kit/ndk-wallet";
import { generateSecretKey } from "nostr-tools/pure";
import { z } from "zod";
import {
  createSigningNdk,
  decryptToSelf,
  signCashuToken,
  signEncryptedToSelf,
  toNdkEvent,
} from "../nostr/signing-ndk.ts";
import type { NostrEvent } from "../protocol/event.ts";
import { normaliseMintUrl } from "../protocol/mint-url.ts";
import type { WalletProof } from "./batches.ts";

export const WALLET_KIND = 17375;
export const TOKEN_KIND = 7375;
export const HISTORY_KIND = 7376;

/** NIP-44 had 65,535 bytes for long; what is longer, other clients may not be able to read. */
const MAX_PLAINTEXT_BYTES = 60_000;

/** The content of a kind 7375. */
export interface TokenContent {
  mintUrl: string;
  /** `sat` where the event names none: older events do not. */
  unit: string;
  proofs: WalletProof[];
  /** Ids of the 7375 events that this one replaces. */
  replaces: string[];
}

export interface HistoryEntry {
  direction: "in" | "out";
  amountSat: number;
  created: string[];
}

/** A kind 17375 that this key does not decrypt, or that holds no list of entries. */
export class UnreadableWallet extends Error {
  constructor() {
    super("the wallet event could not be read");
    this.name = "UnreadableWallet";
  }
}

/** Events in, events out; talks to nobody. `undefined` from a reader: it could not be read. */
export interface WalletCodec {
  /**
   * One signed kind 7375, in the place of those named by `replaces` (`del`). Throws when it could not be read back as
   * it was written.
   */
  tokenEvent(
    mintUrl: string,
    proofs: WalletProof[],
    createdAt: number,
    replaces?: string[],
  ): Promise<NostrEvent>;
  readToken(event: NostrEvent): Promise<TokenContent | undefined>;
  /** What a kind 7376 tells of, and the ids of the kind 7375 that came of it. */
  readHistory(event: NostrEvent): Promise<HistoryEntry | undefined>;
  /** One signed kind 7376: this much came in with that kind 7375. */
  historyEvent(incoming: { amountSat: number; tokenEventId: string }, createdAt: number): Promise<NostrEvent>;
  /** A kind 17375 with a private key of its own, made here. */
  newWallet(mintUrls: string[], createdAt: number): Promise<NostrEvent>;
  readWallet(event: NostrEvent): Promise<{ mintUrls: string[] } | undefined>;
  /**
   * The same wallet with these mints too, every other entry kept; `undefined` when it has them all. Throws
   * `UnreadableWallet`.
   */
  extendWallet(event: NostrEvent, mintUrls: string[], createdAt: number): Promise<NostrEvent | undefined>;
}

const proofSchema = z.object({
  id: z.string(),
  // cashu-ts writes amounts as numbers, other libraries' big integers come as text.
  amount: z
    .union([z.number(), z.string().regex(/^\d{1,15}$/)])
    .transform(Number)
    .pipe(z.int().nonnegative()),
  secret: z.string(),
  C: z.string(),
});

const tokenSchema = z.object({
  mint: z.string().optional(),
  unit: z.string().optional(),
  proofs: z.array(proofSchema),
  del: z.array(z.string()).optional(),
});

const walletSchema = z.array(z.array(z.string()));

/** NDK and ndk-wallet as NIP-60 codec. Nothing of them that talks to a relay or a mint is used. */
export function createWalletCodec(secretKey: Uint8Array): WalletCodec {
  const ndk = createSigningNdk(secretKey);

  async function decrypted<T>(event: NostrEvent, kind: number, schema: z.ZodType<T>): Promise<T | undefined> {
    if (event.kind !== kind) return undefined;
    try {
      return schema.parse(JSON.parse(await decryptToSelf(ndk, event)));
    } catch {
      return undefined;
    }
  }

  /** ndk-wallet stands in for every other NIP-60 client: what it cannot read is not written. */
  async function signWallet(entries: string[][], createdAt: number): Promise<NostrEvent> {
    const plaintext = JSON.stringify(entries);
    const event = await signEncryptedToSelf(ndk, { kind: WALLET_KIND, createdAt, plaintext });
    const readBack = await NDKCashuWallet.from(toNdkEvent(ndk, event));
    const mintUrls = mintsOf(entries);
    if (readBack === undefined || !sameList(readBack.mints, mintUrls))
      throw new Error("unreadable wallet event");
    return event;
  }

  return {
    async tokenEvent(mintUrl, proofs, createdAt, replaces = []) {
      const plain = proofs.map(({ keysetId, amountSat, secret, C }) => ({
        id: keysetId,
        amount: amountSat,
        secret,
        C,
      }));
      const bytes = Buffer.byteLength(JSON.stringify([mintUrl, plain, replaces]));
      if (bytes > MAX_PLAINTEXT_BYTES) throw new Error("too large for one token event");
      const event = await signCashuToken(ndk, { mintUrl, proofs: plain, replaces, createdAt });
      const readBack = await decrypted(event, TOKEN_KIND, tokenSchema);
      if (!sameList(readBack?.proofs.map(nameOf) ?? [], plain.map(nameOf)))
        throw new Error("unreadable token event");
      return event;
    },
    async readToken(event) {
      const content = await decrypted(event, TOKEN_KIND, tokenSchema);
      const mintUrl = content?.mint ?? event.tags.find(([name]) => name === "mint")?.[1];
      if (content === undefined || mintUrl === undefined) return undefined;
      return {
        mintUrl,
        unit: content.unit ?? "sat",
        proofs: content.proofs.map(({ id, amount, secret, C }) => ({
          keysetId: id,
          amountSat: amount,
          secret,
          C,
        })),
        replaces: content.del ?? [],
      };
    },
    async readHistory(event) {
      const entries = await decrypted(event, HISTORY_KIND, walletSchema);
      const said = (name: string) => entries?.find(([key]) => key === name)?.[1];
      const direction = said("direction");
      const amountSat = Number(said("amount"));
      if (entries === undefined || (direction !== "in" && direction !== "out")) return undefined;
      if (!Number.isSafeInteger(amountSat) || amountSat < 0 || (said("unit") ?? "sat") !== "sat")
        return undefined;
      const created = entries.flatMap(([key, id, , marker]) =>
        key === "e" && id !== undefined && marker === "created" ? [id] : [],
      );
      return { direction, amountSat, created };
    },
    historyEvent({ amountSat, tokenEventId }, createdAt) {
      const entries = [
        ["direction", "in"],
        ["amount", String(amountSat)],
        ["unit", "sat"],
        ["e", tokenEventId, "", "created"],
      ];
      return signEncryptedToSelf(ndk, { kind: HISTORY_KIND, createdAt, plaintext: JSON.stringify(entries) });
    },
    newWallet(mintUrls, createdAt) {
      const privkey = Buffer.from(generateSecretKey()).toString("hex");
      return signWallet([...mintUrls.map((url) => ["mint", url]), ["privkey", privkey]], createdAt);
    },
    async readWallet(event) {
      const entries = await decrypted(event, WALLET_KIND, walletSchema);
      return entries && { mintUrls: mintsOf(entries) };
    },
    async extendWallet(event, mintUrls, createdAt) {
      const entries = await decrypted(event, WALLET_KIND, walletSchema);
      if (entries === undefined) throw new UnreadableWallet();
      const known = new Set(mintsOf(entries).map((url) => normaliseMintUrl(url) ?? url));
      const missing = mintUrls.filter((url) => !known.has(normaliseMintUrl(url) ?? url));
      if (missing.length === 0) return undefined;
      return signWallet([...entries, ...missing.map((url) => ["mint", url])], createdAt);
    },
  };
}

function mintsOf(entries: string[][]): string[] {
  return entries.flatMap(([name, value]) => (name === "mint" && value !== undefined ? [value] : []));
}

function nameOf({ secret, amount }: { secret: string; amount: number }): string {
  return `${amount} ${secret}`;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
