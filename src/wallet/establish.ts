import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { describeAnswer } from "../nostr/relay-answer.ts";
import type { RelayEvents } from "../nostr/relay-queries.ts";
import type { Relays } from "../nostr/relays.ts";
import type { NostrEvent } from "../protocol/event.ts";
import { UnreadableWallet, WALLET_KIND, type WalletCodec } from "./codec.ts";
import type { KnownWallet, WalletStore } from "./wallet-store.ts";
import { newestFirst } from "./wallet-view.ts";

const ROUND_MS = 5_000;
const PAUSE_MS = 1_000;

export interface EstablishOptions {
  relays: Pick<Relays, "urls" | "query" | "publish">;
  codec: Pick<WalletCodec, "newWallet" | "extendWallet">;
  store: Pick<WalletStore, "wallet" | "rememberWallet" | "acknowledged">;
  pubkeyHex: string;
  /** The accepted mints; a wallet that lacks one is extended by it. */
  mintUrls: string[];
  /** `--create-wallet`: the operator says that there is none, whatever relays do not answer. */
  createWallet: boolean;
  clock: Clock;
  logger: Logger;
  /** How long relays that do not answer are asked (rule 15). */
  askMs?: number;
  roundMs?: number;
  pauseMs?: number;
}

type Said = { url: string; said: string };

export type Establishment =
  | { kind: "established"; event: NostrEvent; created: boolean; acknowledgedBy: string[]; silent: Said[] }
  /** `relays` names each configured one, with its own words. */
  | { kind: "failed"; why: string; relays: Said[] };

/**
 * The NIP-60 wallet (kind 17375): the newest that book or relays know, or a new one where none can exist, and at
 * least one relay that holds it. Kinds 375 and 10019 are left alone. Throws only what the book throws.
 */
export async function establishWallet(options: EstablishOptions): Promise<Establishment> {
  const { relays, logger } = options;
  const established = await establish(options);
  const total = relays.urls.length;
  if (established.kind === "failed") {
    logger.error({ event: "wallet-failed", why: established.why, relays: established.relays });
  } else {
    const { created, acknowledgedBy, silent } = established;
    logger.info({ event: "wallet-ready", created, acknowledged: acknowledgedBy.length, total, silent });
  }
  return established;
}

async function establish(options: EstablishOptions): Promise<Establishment> {
  const { codec, store, mintUrls, createWallet, clock, askMs = 60_000 } = options;
  const booked = store.wallet();
  // After --new-identity the book still knows the former account's.
  const known = booked?.event.pubkey === options.pubkeyHex ? booked : undefined;
  const deadline = performance.now() + askMs;
  let answers = await ask(options, known === undefined && !createWallet ? deadline : 0);
  let wallet = newestWallet(known, answers);

  if (wallet === undefined) {
    if (!createWallet && !mayCreate(answers))
      return failed("too few relays say that there is no wallet yet", answers);
    return keep(options, await codec.newWallet(mintUrls, clock.now()), { created: true, answers, deadline });
  }
  const extend = (event: NostrEvent) =>
    codec.extendWallet(event, mintUrls, Math.max(clock.now(), event.created_at + 1));
  try {
    let extended = await extend(wallet);
    if (extended !== undefined && silentOnes(answers).length > 0) {
      // A newer one on a relay that is slow would be lost under ours.
      answers = await ask(options, deadline, answers);
      wallet = newestWallet(known, answers) ?? wallet;
      extended = await extend(wallet);
    }
    return keep(options, extended ?? wallet, { created: false, answers, deadline });
  } catch (error) {
    if (!(error instanceof UnreadableWallet)) throw error;
    return failed("there is a wallet event that could not be read: it is not overwritten", answers);
  }
}

/** A wallet of ours that no relay ever took gives way to any that stands on a relay. */
function newestWallet(
  known: KnownWallet | undefined,
  answers: readonly RelayEvents[],
): NostrEvent | undefined {
  const events = answers.flatMap((answer) => ("events" in answer ? answer.events : []));
  if (known?.acknowledged || events.length === 0) events.push(...(known === undefined ? [] : [known.event]));
  return events.sort(newestFirst)[0];
}

/** Asks until each relay has answered or the deadline is past; at least one round. */
async function ask(
  options: EstablishOptions,
  deadline: number,
  earlier: readonly RelayEvents[] = [],
): Promise<RelayEvents[]> {
  const { relays, pubkeyHex, roundMs = ROUND_MS, pauseMs = PAUSE_MS } = options;
  const filter = { kinds: [WALLET_KIND], authors: [pubkeyHex] };
  const answers = new Map(earlier.map((answer) => [answer.url, answer]));
  for (;;) {
    for (const answer of await relays.query(filter, roundMs)) {
      const before = answers.get(answer.url);
      if (before === undefined || "silent" in before) answers.set(answer.url, answer);
    }
    const all = [...answers.values()];
    if (silentOnes(all).length === 0 || performance.now() + pauseMs >= deadline) return all;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Into the book first, then to the relays, until one has it. */
async function keep(
  options: EstablishOptions,
  event: NostrEvent,
  { created, answers, deadline }: { created: boolean; answers: readonly RelayEvents[]; deadline: number },
): Promise<Establishment> {
  const { relays, store, clock, roundMs = ROUND_MS, pauseMs = PAUSE_MS } = options;
  const has = (answer: RelayEvents) => "events" in answer && answer.events.some(({ id }) => id === event.id);
  const heldBy = answers.filter(has).map(({ url }) => url);
  store.rememberWallet(event, relays.urls, heldBy, clock.now());
  for (;;) {
    const given = await relays.publish(event, {
      deadlineMs: roundMs,
      need: 1,
      onLate: (answer) => {
        if (answer.kind === "acknowledged") store.acknowledged(event.id, answer.url, clock.now());
      },
    });
    const acknowledgedBy = given.filter(({ kind }) => kind === "acknowledged").map(({ url }) => url);
    for (const url of acknowledgedBy) store.acknowledged(event.id, url, clock.now());
    if (acknowledgedBy.length > 0) {
      return { kind: "established", event, created, acknowledgedBy, silent: silentOnes(answers) };
    }
    if (performance.now() + pauseMs >= deadline) {
      const said = given.map((answer) => ({ url: answer.url, said: describeAnswer(answer) }));
      return { kind: "failed", why: "no relay takes the wallet", relays: said };
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Rule 15: all that answer say it has none (the caller saw to that), and they are half of those configured. */
function mayCreate(answers: readonly RelayEvents[]): boolean {
  return answers.length > 0 && (answers.length - silentOnes(answers).length) * 2 >= answers.length;
}

function failed(why: string, answers: readonly RelayEvents[]): Establishment {
  const relays = answers.map((answer) => ({
    url: answer.url,
    said: "silent" in answer ? answer.silent : answer.events.length === 0 ? "has no wallet" : "has a wallet",
  }));
  return { kind: "failed", why, relays };
}

function silentOnes(answers: readonly RelayEvents[]): Said[] {
  return answers.flatMap((answer) => ("silent" in answer ? { url: answer.url, said: answer.silent } : []));
}
