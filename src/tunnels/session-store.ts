import { randomUUID } from "node:crypto";
import type { Book } from "../db/open-book.ts";
import type { Bought, Price } from "../protocol/price.ts";
import type { AddressPool } from "./address-pool.ts";
import { createAdoptionStore } from "./adoption-store.ts";
import { createDesiredStore } from "./desired-store.ts";
import type { Rate } from "./rate-spans.ts";
import { createSessionLimits } from "./session-limits.ts";
import {
  isUsable,
  type Session,
  type SessionRow,
  sessionColumns,
  sessionTables,
  toSession,
} from "./session-row.ts";
import { endCause, extend, noTerms, type Terms, unlimited } from "./terms.ts";
import { createTermsStore } from "./terms-store.ts";
import { createTouchedKeysStore } from "./touched-keys-store.ts";
import { createUsageStore } from "./usage-store.ts";

/** What a new session's row says of its purchase, for whoever reads the old table. */
export interface FirstPurchase {
  price: Price;
  method: string;
  dTag: string;
}

export interface EndedSession {
  sessionId: string;
  cause: "time" | "data";
}

/**
 * Sessions in the book. `pending` pins an address without admitting anyone; `active` is a peer that must be up;
 * `expired` and `revoked` are over, their key kept until the peer was read back as gone and the hold is past.
 */
export type SessionStore = ReturnType<typeof createSessionStore>;

export function createSessionStore(
  book: Book,
  pool: AddressPool,
  holdSeconds: number,
  defaultRate: Rate = null,
) {
  const byId = book.prepare<[string], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE session_id = ?`,
  );
  const byKey = book.prepare<[string, number], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.client_identity = ?
       AND (s.status = 'active'
         OR (s.status = 'pending' AND (s.payment_hash IS NULL OR t.ended_at IS NOT NULL)) OR (s.status = 'expired'
         AND (t.ended_at > ? OR s.client_identity IN (SELECT public_key FROM departing_peers))))
     ORDER BY s.status = 'active' DESC, s.status = 'pending' DESC, s.expires_at IS NULL DESC, s.expires_at DESC`,
  );
  const allByStatus = book.prepare<[string], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.status = ?`,
  );
  const due = book.prepare<[number], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.status = 'active' AND s.expires_at <= ?`,
  );
  const addressTaken = book.prepare(
    "SELECT 1 FROM sessions WHERE assigned_ip = ? AND status IN ('pending', 'active')",
  );
  const setStatus = book.prepare("UPDATE sessions SET status = ? WHERE session_id = ?");
  const setEnd = book.prepare("UPDATE session_terms SET ended_at = ?, end_cause = ? WHERE session_id = ?");
  const insertSession = book.prepare(
    `INSERT INTO sessions (session_id, protocol, client_identity, assigned_ip, purchased_at, price_amount,
       price_currency, price_unit, payment_method, status, last_rx_counter, last_tx_counter, listing_d_tag)
     VALUES (?, 'wireguard', ?, ?, ?, ?, ?, ?, ?, 'pending', 0, 0, ?)`,
  );
  const insertTerms = book.prepare("INSERT INTO session_terms (session_id) VALUES (?)");
  const deleteSession = book.prepare("DELETE FROM sessions WHERE session_id = ?");
  const openSales = book.prepare(
    "SELECT 1 FROM sales WHERE session_id = ? AND state IN ('swapping', 'invoicing', 'invoiced', 'paid', 'owed') LIMIT 1",
  );
  const depart = book.prepare(
    "INSERT OR REPLACE INTO departing_peers (public_key, assigned_ip, since) VALUES (?, ?, ?)",
  );
  const stay = book.prepare("DELETE FROM departing_peers WHERE public_key = ?");
  const setKey = book.prepare("UPDATE sessions SET client_identity = ? WHERE session_id = ?");
  const forget = book.prepare(
    `UPDATE sessions SET client_identity = '' WHERE client_identity > '' AND status IN ('expired', 'revoked')
       AND client_identity NOT IN (SELECT public_key FROM departing_peers)
       AND EXISTS (SELECT 1 FROM session_terms t
         WHERE t.session_id = sessions.session_id AND (t.ended_at IS NULL OR t.ended_at <= ?))`,
  );
  const written = createTermsStore(book);
  const { peerChanged, peerGone, countedAs, ...usage } = createUsageStore(book, written);

  function find(sessionId: string): Session | undefined {
    const row = byId.get(sessionId);
    return row && toSession(row);
  }

  /**
   * The session that a purchase for `publicKey` would extend: live, pending, or ended less than the hold ago (longer
   * while its peer was not read back as gone). An older daemon's unpaid invoice keeps its own row and its own terms: it
   * is pending, has a payment hash, and never ran.
   */
  function findByKey(publicKey: string, now: number): Session | undefined {
    const known = byKey
      .all(publicKey, now - holdSeconds)
      .map(toSession)
      .filter(isUsable);
    return known.find(({ status, address }) => status !== "expired" || isStillItsOwn(address));
  }

  /** The address of an ended session is one that we hand out, and nobody has it, in the book or beside it. */
  function isStillItsOwn(address: string): boolean {
    return pool.contains(address) && !pool.isForeign(address) && !addressTaken.get(address);
  }

  /** Pins a session and its address for a sale that has just begun; undefined when the pool is empty. */
  function reserve(publicKey: string, first: FirstPurchase, now: number): string | undefined {
    const known = findByKey(publicKey, now);
    if (known) {
      if (known.status === "expired") setStatus.run("pending", known.sessionId);
      return known.sessionId;
    }
    const address = pool.take(now);
    if (address === undefined) return undefined;
    const sessionId = randomUUID();
    const { amount, currency, unit } = first.price;
    insertSession.run(sessionId, publicKey, address, now, amount, currency, unit, first.method, first.dTag);
    insertTerms.run(sessionId);
    return sessionId;
  }

  /** Lets go of a pending session that no open sale holds any more. One that never ran leaves no trace. */
  function unpin(sessionId: string, now: number): void {
    const session = find(sessionId);
    if (session?.status !== "pending" || openSales.get(sessionId)) return;
    if (session.endedAt === null) {
      deleteSession.run(sessionId);
    } else {
      setStatus.run("expired", sessionId);
      pool.hold(session.address, now, session.endedAt + holdSeconds);
    }
  }

  /** The peer is up: adds what was bought, which counts from `from`. */
  function grant(sessionId: string, bought: Bought, now: number, from: number): void {
    const session = mustFind(sessionId);
    const terms = termsAfter(session, bought, from);
    if (terms !== session.terms) written.write(sessionId, terms, now);
    setStatus.run("active", sessionId);
    setEnd.run(null, null, sessionId);
    stay.run(session.publicKey);
  }

  /** One that runs without limits has nothing to gain. */
  function termsAfter({ status, endedAt, terms }: Session, bought: Bought, from: number): Terms {
    if (status === "active" && unlimited(terms)) return terms;
    const neverRan = status === "pending" && endedAt === null;
    return extend(neverRan ? noTerms : terms, bought, from, defaultRate);
  }

  /** Gives the session to another key of the same buyer; the old key's peer has to go. */
  function moveKey(sessionId: string, publicKey: string, now: number): void {
    const session = mustFind(sessionId);
    stay.run(publicKey);
    departFrom(session, now);
    setKey.run(publicKey, sessionId);
    peerChanged(sessionId);
  }

  /**
   * Ends a running session before its time; false when it does not run. It is not renewed in place: who pays for it
   * all the same gets another one.
   */
  function revoke(sessionId: string, now: number): boolean {
    const session = find(sessionId);
    if (session?.status !== "active") return false;
    setStatus.run("revoked", sessionId);
    setEnd.run(now, "revoked", sessionId);
    leave(session, now);
    return true;
  }

  /** Ends what is over at `now`. A session with an open sale keeps its address as `pending`. */
  function endDue(now: number): EndedSession[] {
    return due.all(now).map((row) => {
      const session = toSession(row);
      const cause = endCause(session.terms, session.expiresAt ?? now);
      setStatus.run(openSales.get(session.sessionId) ? "pending" : "expired", session.sessionId);
      setEnd.run(now, cause, session.sessionId);
      leave(session, now);
      return { sessionId: session.sessionId, cause };
    });
  }

  /** The counters stay: until it was read back as gone, the peer may be renewed in place and counts on. */
  function leave(session: Session, now: number): void {
    departFrom(session, now);
    pool.hold(session.address, now, now + holdSeconds);
  }

  function departFrom(session: Session, now: number): void {
    if (isUsable(session)) depart.run(session.publicKey, session.address, now);
  }

  function live(): Session[] {
    return allByStatus.all("active").map(toSession);
  }

  function mustFind(sessionId: string): Session {
    const session = find(sessionId);
    if (!session) throw new Error("the book has lost a session that it names");
    return session;
  }

  return {
    ...usage,
    ...createDesiredStore(book, pool),
    ...createTouchedKeysStore(book),
    ...createAdoptionStore(book, pool, written, holdSeconds),
    ...createSessionLimits({ pool, defaultRate, find, mustFind, live, termsAfter, countedAs }),
    find,
    findByKey,
    live,
    reserve: (publicKey: string, first: FirstPurchase, now: number) =>
      book.transaction(() => reserve(publicKey, first, now))(),
    unpin: (sessionId: string, now: number) => book.transaction(() => unpin(sessionId, now))(),
    grant: (sessionId: string, bought: Bought, now: number, from = now) =>
      book.transaction(() => grant(sessionId, bought, now, from))(),
    revoke: (sessionId: string, now: number) => book.transaction(() => revoke(sessionId, now))(),
    /** `commit` writes what belongs to the same transaction. */
    moveKey: (sessionId: string, publicKey: string, now: number, commit: () => void) =>
      book.transaction(() => {
        moveKey(sessionId, publicKey, now);
        commit();
      })(),
    endDue: (now: number) => book.transaction(() => endDue(now))(),
    /** The interface was read and these keys are not on it (with what departs): their addresses may go on. */
    readBackAsGone: (keys: readonly string[]) =>
      book.transaction(() => {
        for (const key of keys) {
          stay.run(key);
          peerGone(key);
        }
      })(),
    /** Drops the keys of sessions that are over, gone from the interface, and past their hold. */
    forgetKeys: (now: number) => forget.run(now - holdSeconds).changes,
  };
}
