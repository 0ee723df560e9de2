import type { Book } from "../db/open-book.ts";
import type { NostrEvent } from "../protocol/event.ts";

const TOKEN_KIND = 7375;

/** A proof that the mint has not called SPENT so far. */
export interface HeldProof {
  y: string;
  mintUrl: string;
  amountSat: number;
  secret: string;
  /** The wallet event that carries it, if any. */
  eventId: string | null;
  /** In no event, or in one that is still to be acknowledged. */
  inOutbox: boolean;
}

/** A kind 7375 of ours that stands for its proofs. */
export interface StandingEvent {
  event: NostrEvent;
  /** `Y` of all proofs in it, spent or not. */
  ys: string[];
  spentCount: number;
}

export interface Deliveries {
  acknowledged: number;
  waiting: number;
  refused: number;
}

export type ComparisonStore = ReturnType<typeof createComparisonStore>;

/** The book's side of a comparison with wallet and mints. Times in unix seconds. */
export function createComparisonStore(book: Book) {
  const held = book.prepare<[], HeldRow>(
    `SELECT y, mint_url AS mintUrl, amount_sat AS amountSat, secret, event_id AS eventId,
       event_id IS NULL OR (acknowledged_at IS NULL AND withdrawn_at IS NULL) AS inOutbox
     FROM proofs LEFT JOIN wallet_events USING (event_id) WHERE spent_at IS NULL`,
  );
  const spend = book.prepare("UPDATE proofs SET spent_at = ? WHERE y = ? AND spent_at IS NULL");
  const withdrawNamed = book.prepare(
    `UPDATE wallet_events SET withdrawn_at = ? WHERE withdrawn_at IS NULL AND kind = ${TOKEN_KIND}
       AND event_id IN (SELECT value FROM json_each(?))`,
  );
  const withdrawSpent = book.prepare(
    `UPDATE wallet_events SET withdrawn_at = ? WHERE withdrawn_at IS NULL AND kind = ${TOKEN_KIND}
       AND event_id IN (SELECT event_id FROM proofs WHERE spent_at IS NOT NULL)
       AND event_id NOT IN (SELECT event_id FROM proofs WHERE spent_at IS NULL AND event_id IS NOT NULL)`,
  );
  const unwrap = book.prepare(
    `UPDATE proofs SET event_id = NULL, former_event_id = event_id
       WHERE y = ? AND event_id = ? AND spent_at IS NULL`,
  );
  const standing = book.prepare<[], { json: string; ys: string; spentCount: number }>(
    `SELECT json, json_group_array(y) AS ys, count(spent_at) AS spentCount
       FROM wallet_events JOIN proofs USING (event_id) WHERE withdrawn_at IS NULL GROUP BY event_id`,
  );
  const askAgain = book.prepare(
    `INSERT INTO wallet_event_relays (event_id, relay_url) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET acknowledged_at = NULL, attempts = 0, next_attempt_at = 0, last_answer = NULL`,
  );
  const forgetRefusal = book.prepare(
    "UPDATE wallet_event_relays SET refused_for_good = 0 WHERE event_id = ? AND relay_url = ?",
  );
  const unacknowledge = book.prepare("UPDATE wallet_events SET acknowledged_at = NULL WHERE event_id = ?");
  const acknowledgedBy = book
    .prepare<[string], string>(
      "SELECT relay_url FROM wallet_event_relays WHERE event_id = ? AND acknowledged_at IS NOT NULL",
    )
    .pluck();
  const countDeliveries = book.prepare<[string, string], Deliveries>(
    `SELECT count(acknowledged_at) AS acknowledged,
       count(*) FILTER (WHERE acknowledged_at IS NULL AND refused_for_good = 0) AS waiting,
       count(*) FILTER (WHERE acknowledged_at IS NULL AND refused_for_good = 1) AS refused
     FROM wallet_event_relays WHERE relay_url = ? AND event_id IN (SELECT value FROM json_each(?))`,
  );

  const knowsEvent = book.prepare("SELECT 1 FROM wallet_events WHERE event_id = ?");
  const insertAdopted = book.prepare(
    `INSERT INTO wallet_events (event_id, kind, json, created_at, acknowledged_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
  );
  const insertDelivery = book.prepare(
    "INSERT OR IGNORE INTO wallet_event_relays (event_id, relay_url, acknowledged_at) VALUES (?, ?, ?)",
  );
  const wrapInto = book.prepare("UPDATE proofs SET event_id = ? WHERE y = ? AND event_id IS NULL");

  return {
    /** Every proof ever taken in that is not known as spent. */
    held: (): HeldProof[] => held.all().map((row) => ({ ...row, inOutbox: row.inOutbox === 1 })),
    standing: (): StandingEvent[] =>
      standing.all().map(({ json, ys, spentCount }) => ({
        event: JSON.parse(json) as NostrEvent,
        ys: JSON.parse(ys) as string[],
        spentCount,
      })),
    /** The mint said SPENT: that is final. */
    spent: book.transaction((ys: readonly string[], now: number) => {
      for (const y of ys) spend.run(now, y);
    }),
    /** Sent nowhere any more: what the wallet has deleted or replaced, and what is spent to the last proof. */
    withdraw: book.transaction((goneIds: Iterable<string>, now: number) => {
      withdrawNamed.run(now, JSON.stringify([...goneIds]));
      withdrawSpent.run(now);
    }),
    /** These proofs leave their event, which is withdrawn, and wait for a new one. */
    unwrap: book.transaction((eventId: string, ys: readonly string[], now: number) => {
      for (const y of ys) unwrap.run(y, eventId);
      withdrawNamed.run(now, JSON.stringify([eventId]));
    }),
    knowsEvent: (eventId: string) => knowsEvent.get(eventId) !== undefined,
    /** An event of ours that only relays know holds these proofs. */
    adopt: book.transaction(
      (
        event: NostrEvent,
        ys: readonly string[],
        { relayUrls, heldBy, now }: { relayUrls: readonly string[]; heldBy: readonly string[]; now: number },
      ) => {
        insertAdopted.run(event.id, event.kind, JSON.stringify(event), event.created_at, now);
        for (const url of relayUrls) insertDelivery.run(event.id, url, heldBy.includes(url) ? now : null);
        for (const y of ys) wrapInto.run(event.id, y);
      },
    ),
    /** These relays do not hold the event (any more): it is offered to them. Refusals stand unless `anew`. */
    offer: book.transaction((eventId: string, relayUrls: readonly string[], anew: boolean) => {
      for (const url of relayUrls) {
        askAgain.run(eventId, url);
        if (anew) forgetRefusal.run(eventId, url);
      }
    }),
    /** No relay holds the event any more: it waits in the outbox. */
    isHeldByNone: (eventId: string) => void unacknowledge.run(eventId),
    acknowledgedBy: (eventId: string) => acknowledgedBy.all(eventId),
    /** How far these events have come at one relay; those not meant for it are in none of the counts. */
    deliveries: (relayUrl: string, eventIds: readonly string[]): Deliveries =>
      countDeliveries.get(relayUrl, JSON.stringify(eventIds)) ?? { acknowledged: 0, waiting: 0, refused: 0 },
  };
}

type HeldRow = Omit<HeldProof, "inOutbox"> & { inOutbox: number };
