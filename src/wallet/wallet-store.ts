import type { Durability } from "../db/durability.ts";
import type { Book } from "../db/open-book.ts";
import { isNostrEvent, type NostrEvent } from "../protocol/event.ts";
import type { WalletProof } from "./batches.ts";

const WALLET_FACT = "wallet-event";
const WALLET_KIND = 17375;
const HISTORY_KIND = 7376;
/** No retry is further away than this, in seconds: a later date comes from a clock that ran ahead. */
export const LONGEST_RETRY_SECONDS = 600;

export interface BookedProof extends WalletProof {
  y: string;
  /** The wallet event that it stood in before, and stands in no more. */
  formerEventId: string | null;
}

/** The proofs themselves (kinds 7375 and 17375), or the account of them (7376), which gives way to them. */
export type Lane = "money" | "history";

/** One wallet event that one relay still lacks. */
export interface WaitingDelivery {
  event: NostrEvent;
  relayUrl: string;
  /** Attempts so far. */
  attempts: number;
}

export interface KnownWallet {
  event: NostrEvent;
  /** A relay has it, or had it. */
  acknowledged: boolean;
}

/** The outbox and the wallet's own event, in the book. Times in unix seconds. */
export interface WalletStore {
  /** Proofs that stand in no wallet event yet, by mint URL. */
  unwrapped(): Map<string, BookedProof[]>;
  /** The event with these proofs is written, and that which tells of it, to be taken to these relays. All or nothing. */
  wrapped(event: NostrEvent, ys: readonly string[], relayUrls: readonly string[], history?: NostrEvent): void;
  /** Resolves once what was wrapped by now outlives the power: no event is sent before that. */
  onDisk(): Promise<void>;
  /** What no relay has acknowledged yet is to be taken to these relays also. */
  enlist(relayUrls: readonly string[]): void;
  due(relayUrl: string, lane: Lane, now: number, limit: number): WaitingDelivery[];
  acknowledged(eventId: string, relayUrl: string, now: number): void;
  refusedForGood(eventId: string, relayUrl: string, said: string): void;
  tryAgain(eventId: string, relayUrl: string, why: string, nextAttemptAt: number): void;
  /** What only this host's disk holds: events of the money lane that no relay acknowledged, proofs in no event. */
  waiting(): { events: number; proofs: number };
  /** Since when the longest of it waits, in unix seconds; undefined: nothing waits. */
  waitingSince(): number | undefined;
  /** The newest kind 17375 that the book knows. */
  wallet(): KnownWallet | undefined;
  /** `event` is the wallet from now on; the relays in `heldBy` have it, the others in `relayUrls` are to get it. */
  rememberWallet(
    event: NostrEvent,
    relayUrls: readonly string[],
    heldBy: readonly string[],
    now: number,
  ): void;
}

export function createWalletStore(book: Book, { lazily, promised, onDisk }: Durability): WalletStore {
  const unwrapped = book.prepare<[], ProofRow>(
    `SELECT y, mint_url, keyset_id, amount_sat, secret, c, former_event_id FROM proofs
       WHERE event_id IS NULL AND spent_at IS NULL ORDER BY taken_at, y`,
  );
  const insertEvent = book.prepare(
    "INSERT INTO wallet_events (event_id, kind, json, created_at) VALUES (?, ?, ?, ?)",
  );
  const insertDelivery = book.prepare(
    "INSERT OR IGNORE INTO wallet_event_relays (event_id, relay_url) VALUES (?, ?)",
  );
  const wrapProof = book.prepare("UPDATE proofs SET event_id = ? WHERE y = ? AND event_id IS NULL");
  const enlist = book.prepare(
    `INSERT OR IGNORE INTO wallet_event_relays (event_id, relay_url)
     SELECT event_id, ? FROM wallet_events WHERE acknowledged_at IS NULL AND withdrawn_at IS NULL`,
  );
  const due = book.prepare<[string, number, number, number, number], DeliveryRow>(
    `SELECT json, attempts FROM wallet_event_relays JOIN wallet_events USING (event_id)
     WHERE relay_url = ? AND (kind = ${HISTORY_KIND}) = ? AND withdrawn_at IS NULL
       AND wallet_event_relays.acknowledged_at IS NULL AND refused_for_good = 0
       AND (next_attempt_at <= ? OR next_attempt_at > ?)
     ORDER BY wallet_events.acknowledged_at IS NOT NULL, attempts, created_at LIMIT ?`,
  );
  const acknowledgeDelivery = book.prepare(
    `UPDATE wallet_event_relays SET acknowledged_at = ?, refused_for_good = 0, last_answer = NULL
     WHERE event_id = ? AND relay_url = ? AND acknowledged_at IS NULL`,
  );
  const acknowledgeEvent = book.prepare(
    "UPDATE wallet_events SET acknowledged_at = ? WHERE event_id = ? AND acknowledged_at IS NULL",
  );
  const refuse = book.prepare(
    `UPDATE wallet_event_relays SET refused_for_good = 1, attempts = attempts + 1, last_answer = ?
     WHERE event_id = ? AND relay_url = ? AND acknowledged_at IS NULL`,
  );
  const postpone = book.prepare(
    `UPDATE wallet_event_relays SET attempts = attempts + 1, last_answer = ?, next_attempt_at = ?
     WHERE event_id = ? AND relay_url = ? AND acknowledged_at IS NULL`,
  );
  const countEvents = book
    .prepare<[], number>(
      `SELECT count(*) FROM wallet_events
         WHERE acknowledged_at IS NULL AND withdrawn_at IS NULL AND kind <> ${HISTORY_KIND}`,
    )
    .pluck();
  const countProofs = book
    .prepare<[], number>("SELECT count(*) FROM proofs WHERE event_id IS NULL AND spent_at IS NULL")
    .pluck();
  const oldestWaiting = book
    .prepare<[], number | null>(
      `SELECT min(since) FROM (
         SELECT min(created_at) AS since FROM wallet_events
           WHERE acknowledged_at IS NULL AND withdrawn_at IS NULL AND kind <> ${HISTORY_KIND}
         UNION ALL SELECT min(taken_at) FROM proofs WHERE event_id IS NULL AND spent_at IS NULL)`,
    )
    .pluck();
  const readFact = book.prepare<[string], string>("SELECT value FROM facts WHERE name = ?").pluck();
  const writeFact = book.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)");
  const isAcknowledged = book
    .prepare<[string], number>(
      "SELECT 1 FROM wallet_events WHERE event_id = ? AND acknowledged_at IS NOT NULL",
    )
    .pluck();
  const hasEvent = book.prepare("SELECT 1 FROM wallet_events WHERE event_id = ?");
  const forgetDeliveries = book.prepare(
    "DELETE FROM wallet_event_relays WHERE event_id IN (SELECT event_id FROM wallet_events WHERE kind = ?)",
  );
  const forgetEvents = book.prepare("DELETE FROM wallet_events WHERE kind = ?");

  function acknowledge(eventId: string, relayUrl: string, now: number): void {
    acknowledgeDelivery.run(now, eventId, relayUrl);
    acknowledgeEvent.run(now, eventId);
  }

  const acknowledged = book.transaction(acknowledge);
  const wrapped = book.transaction(
    (event: NostrEvent, ys: readonly string[], relayUrls: readonly string[], history?: NostrEvent) => {
      for (const written of history === undefined ? [event] : [event, history]) {
        insertEvent.run(written.id, written.kind, JSON.stringify(written), written.created_at);
        for (const url of relayUrls) insertDelivery.run(written.id, url);
      }
      for (const y of ys) {
        if (wrapProof.run(event.id, y).changes !== 1) throw new Error("a proof is in a wallet event already");
      }
    },
  );

  return {
    unwrapped() {
      const byMint = new Map<string, BookedProof[]>();
      for (const row of unwrapped.iterate()) {
        const proofs = byMint.get(row.mint_url) ?? [];
        byMint.set(row.mint_url, proofs);
        const { y, keyset_id: keysetId, amount_sat: amountSat, secret, c: C } = row;
        proofs.push({ y, keysetId, amountSat, secret, C, formerEventId: row.former_event_id });
      }
      return byMint;
    },
    wrapped: (event, ys, relayUrls, history) => promised(() => wrapped(event, ys, relayUrls, history)),
    onDisk,
    enlist: book.transaction((relayUrls: readonly string[]) => {
      for (const url of relayUrls) enlist.run(url);
    }),
    due: (relayUrl, lane, now, limit) =>
      due
        .all(relayUrl, lane === "history" ? 1 : 0, now, now + LONGEST_RETRY_SECONDS, limit)
        .map(({ json, attempts }) => ({ event: JSON.parse(json) as NostrEvent, relayUrl, attempts })),
    acknowledged: (eventId, relayUrl, now) => lazily(() => acknowledged(eventId, relayUrl, now)),
    refusedForGood: (eventId, relayUrl, said) => void refuse.run(said, eventId, relayUrl),
    tryAgain: (eventId, relayUrl, why, nextAttemptAt) =>
      void postpone.run(why, nextAttemptAt, eventId, relayUrl),
    waiting: () => ({ events: countEvents.get() ?? 0, proofs: countProofs.get() ?? 0 }),
    waitingSince: () => oldestWaiting.get() ?? undefined,
    wallet() {
      const json = readFact.get(WALLET_FACT);
      if (json === undefined) return undefined;
      const event: unknown = JSON.parse(json);
      if (!isNostrEvent(event)) throw new Error("the book's wallet event is damaged");
      return { event, acknowledged: isAcknowledged.get(event.id) === 1 };
    },
    rememberWallet: book.transaction(
      (event: NostrEvent, relayUrls: readonly string[], heldBy: readonly string[], now: number) => {
        if (hasEvent.get(event.id) === undefined) {
          forgetDeliveries.run(WALLET_KIND);
          forgetEvents.run(WALLET_KIND);
          insertEvent.run(event.id, event.kind, JSON.stringify(event), event.created_at);
        }
        writeFact.run(WALLET_FACT, JSON.stringify(event));
        for (const url of relayUrls) insertDelivery.run(event.id, url);
        for (const url of heldBy) acknowledge(event.id, url, now);
      },
    ),
  };
}

interface ProofRow {
  y: string;
  mint_url: string;
  keyset_id: string;
  amount_sat: number;
  secret: string;
  c: string;
  former_event_id: string | null;
}

interface DeliveryRow {
  json: string;
  attempts: number;
}
