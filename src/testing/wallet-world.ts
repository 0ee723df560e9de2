import { join } from "node:path";
import { type Proof, Wallet } from "@cashu/cashu-ts";
import { encrypt, getConversationKey } from "nostr-tools/nip44";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import pino from "pino";
import { hashToCurveHex } from "../cashu/curve.ts";
import { createMintHttp } from "../cashu/mint-http.ts";
import { createProofStates } from "../cashu/proof-states.ts";
import { systemClock } from "../clock.ts";
import { createDurability } from "../db/durability.ts";
import { type Book, openBook } from "../db/open-book.ts";
import { connectRelays, type Relays } from "../nostr/relays.ts";
import type { NostrEvent } from "../protocol/event.ts";
import { createWalletCodec, TOKEN_KIND, type WalletCodec } from "../wallet/codec.ts";
import { createWalletComparison, type WalletComparison } from "../wallet/comparison.ts";
import { type ComparisonStore, createComparisonStore } from "../wallet/comparison-store.ts";
import { createOutbox, type Outbox } from "../wallet/outbox.ts";
import { type Republished, republishWallet } from "../wallet/republish.ts";
import { createWalletStore, type WalletStore } from "../wallet/wallet-store.ts";
import { readWalletView, satByMintIn } from "../wallet/wallet-view.ts";
import { encodeToken, mintToken } from "./ecash.ts";
import { startMint, type TestMint } from "./mint.ts";
import { startRelay, type TestRelay } from "./relay.ts";
import { makeTempDir } from "./temp-dir.ts";

/** One run of the wallet's parts over the book: what a start of the daemon makes. */
export interface WalletRun {
  relays: Relays;
  outbox: Outbox;
  comparison: WalletComparison;
  republish(): Promise<Republished>;
}

/** A book with real proofs of a real mint, real relays, and another NIP-60 client with the same key. */
export interface WalletWorld {
  book: Book;
  mint: TestMint;
  codec: WalletCodec;
  store: ComparisonStore;
  walletStore: WalletStore;
  pubkeyHex: string;
  /** The former run ends. */
  run(...targets: TestRelay[]): Promise<WalletRun>;
  relay(): Promise<TestRelay>;
  /** Proofs of these amounts come in, as if sold. */
  takeIn(...amounts: number[]): Promise<Proof[]>;
  tokensAt(relay: TestRelay): NostrEvent[];
  /** What a reader who never saw the book adds up, in sat. */
  readElsewhere(...targets: TestRelay[]): Promise<number>;
  /** Proofs become another's at the mint. */
  spend(proofs: Proof[]): Promise<Proof[]>;
  /** A kind 7375 of another client's with the same key. */
  foreignToken(proofs: Proof[], replaces: string[]): NostrEvent;
  /** Kind 5. */
  deletion(...ids: string[]): NostrEvent;
  publishElsewhere(relay: TestRelay, ...events: NostrEvent[]): Promise<void>;
  close(): Promise<void>;
}

export async function createWalletWorld(): Promise<WalletWorld> {
  const folder = await makeTempDir();
  const book = openBook(join(folder.path, "book.db"));
  const mint = await startMint();
  const secretKey = generateSecretKey();
  const pubkeyHex = getPublicKey(secretKey);
  const codec = createWalletCodec(secretKey);
  const logger = pino({ level: "silent" });
  const clock = systemClock;
  const store = createComparisonStore(book);
  const walletStore = createWalletStore(book, createDurability(book));
  const relaysMade: TestRelay[] = [];
  let endRun = () => {};

  const connect = (targets: TestRelay[]) =>
    connectRelays({
      urls: targets.map(({ url }) => url),
      secretKey,
      clock,
      logger,
      connectDeadlineMs: 300,
      retryMs: { first: 50, longest: 100 },
    });
  const sign = (kind: number, tags: string[][], content: string) =>
    finalizeEvent({ kind, created_at: clock.now(), tags, content }, secretKey);

  return {
    book,
    mint,
    codec,
    store,
    walletStore,
    pubkeyHex,
    async run(...targets) {
      endRun();
      const relays = await connect(targets);
      const outbox = createOutbox({ relays, codec, store: walletStore, clock, logger, deadlineMs: 300 });
      const proofs = createProofStates(createMintHttp({ timeoutMs: 3000 }));
      const comparison = createWalletComparison({
        relays,
        codec,
        store,
        proofs,
        pubkeyHex,
        onReturned: () => {},
        clock,
        logger,
        relayDeadlineMs: 1000,
      });
      endRun = () => {
        outbox.stop();
        relays.close();
      };
      const republish = () =>
        republishWallet(
          { relays, comparison, store, walletStore, outbox, pubkeyHex, clock, withinMs: 1500 },
          new AbortController().signal,
        );
      return { relays, outbox, comparison, republish };
    },
    async relay() {
      const started = await startRelay();
      relaysMade.push(started);
      return started;
    },
    async takeIn(...amounts) {
      const amountSat = amounts.reduce((sum, amount) => sum + amount, 0);
      const { proofs } = await mintToken({ mintUrl: mint.url, amountSat, denominations: amounts });
      const insert = book.prepare(
        "INSERT INTO proofs (y, mint_url, keyset_id, amount_sat, secret, c, taken_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      );
      for (const { secret, id, amount, C } of proofs) {
        insert.run(hashToCurveHex(secret), mint.url, id, amount.toNumber(), secret, C, clock.now());
      }
      return proofs;
    },
    tokensAt: (relay) => relay.events().filter(({ kind }) => kind === TOKEN_KIND),
    async readElsewhere(...targets) {
      const relays = await connect(targets);
      const view = await readWalletView(relays, createWalletCodec(secretKey), pubkeyHex, 1000);
      relays.close();
      return [...satByMintIn(view).values()].reduce((sum, sat) => sum + sat, 0);
    },
    async spend(proofs) {
      const wallet = new Wallet(mint.url);
      await wallet.loadMint();
      return wallet.receive(encodeToken(proofs, mint.url));
    },
    foreignToken(proofs, del) {
      const plain = proofs.map(({ id, amount, secret, C }) => ({ id, amount: amount.toNumber(), secret, C }));
      const content = JSON.stringify({ mint: mint.url, unit: "sat", proofs: plain, del });
      return sign(TOKEN_KIND, [], encrypt(content, getConversationKey(secretKey, pubkeyHex)));
    },
    deletion: (...ids) => sign(5, [...ids.map((id) => ["e", id]), ["k", String(TOKEN_KIND)]], ""),
    async publishElsewhere(relay, ...events) {
      const relays = await connect([relay]);
      for (const event of events) await relays.publish(event, { deadlineMs: 1000 });
      relays.close();
    },
    async close() {
      endRun();
      book.close();
      await Promise.all([mint.stop(), ...relaysMade.map((relay) => relay.stop())]);
      await folder.remove();
    },
  };
}
