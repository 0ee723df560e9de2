import { randomUUID } from "node:crypto";
import { boundary } from "../boundary.ts";
import type { Durability } from "../db/durability.ts";
import type { Book } from "../db/open-book.ts";
import type { Bought, Price } from "../protocol/price.ts";
import type { PurchaseReason } from "../protocol/refusal.ts";
import type { SessionStore } from "../tunnels/session-store.ts";
import { type Applied, createGrantStore } from "./grant-store.ts";
import type { OwnedProof, SwapJournal } from "./ports.ts";
import type { ReservationStore } from "./reservation-store.ts";
import { isPaid, type Sale } from "./sale.ts";

export type SaleStore = ReturnType<typeof createSaleStore>;

/** A checked purchase, ready to be written down. */
export interface NewSale {
  mintKey: string;
  mintUrl: string;
  faceSat: number;
  price: Price;
  bought: Bought;
  dTag: string;
  buyerHash: string;
  keyHash: string;
  clientKey: string;
  ys: readonly string[];
  journal: SwapJournal;
}

export type Claim = { kind: "none" } | { kind: "overlap" } | { kind: "same"; sale: Sale };
export type Opened = { kind: "opened"; saleId: string } | { kind: "claimed" } | { kind: "no-address" };
/**
 * Sales over ecash in the book, one verb for each arrow of the state diagram. Claims are rows of input proofs: UNIQUE
 * makes a proof pay once.
 */
export function createSaleStore(
  book: Book,
  durability: Durability,
  sessions: SessionStore,
  reservations: ReservationStore,
) {
  const { promised } = durability;
  const grants = createGrantStore(book, durability, sessions, reservations);
  const { mustFind } = grants;
  const claimRows = book.prepare<[string, string], { sale_id: string }>(
    "SELECT sale_id FROM sale_inputs WHERE mint_key = ? AND y IN (SELECT value FROM json_each(?))",
  );
  const refunded = book.prepare<[string, string]>(
    "SELECT 1 FROM refund_inputs WHERE mint_key = ? AND y IN (SELECT value FROM json_each(?)) LIMIT 1",
  );
  const inputCount = book
    .prepare<[string], number>("SELECT count(*) FROM sale_inputs WHERE sale_id = ?")
    .pluck();
  const insertSale = book.prepare(
    `INSERT INTO sales (sale_id, state, method, mint_key, mint_url, face_sat, fee_sat, price_amount, price_currency,
       price_unit, rate_mbit, bought_seconds, bought_bytes, listing_d_tag, buyer_hash, key_hash, client_key,
       session_id, created_at)
     VALUES (?, 'swapping', 'cashu', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertInput = book.prepare("INSERT INTO sale_inputs (mint_key, y, sale_id) VALUES (?, ?, ?)");
  const insertAttempt = book.prepare(
    "INSERT INTO swap_attempts (sale_id, number, journal, created_at) VALUES (?, ?, ?, ?)",
  );
  const attempts = book
    .prepare<[string], string>("SELECT journal FROM swap_attempts WHERE sale_id = ? ORDER BY number")
    .pluck();
  const forgetAttempts = book.prepare("DELETE FROM swap_attempts WHERE sale_id = ?");
  const setFee = book.prepare("UPDATE sales SET fee_sat = ? WHERE sale_id = ?");
  const setPaid = book.prepare(
    `UPDATE sales SET state = 'paid', paid_at = ?, flaw = ?, fee_sat = ?
       WHERE sale_id = ? AND state = 'swapping'`,
  );
  const addReceived = book.prepare("UPDATE sales SET received_sat = received_sat + ? WHERE sale_id = ?");
  const answeredWrongly = book
    .prepare<[], string>(
      `SELECT DISTINCT sale_id FROM swap_attempts JOIN sales USING (sale_id)
         WHERE state IN ('paid', 'owed', 'granted')`,
    )
    .pluck();
  const insertProof = book.prepare(
    `INSERT INTO proofs (y, mint_url, keyset_id, amount_sat, secret, c, dleq, sale_id, taken_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (y) DO NOTHING`,
  );
  const setReleased = book.prepare(
    `UPDATE sales SET state = 'released', released_at = ?, release_reason = ?, client_key = NULL
       WHERE sale_id = ? AND state = 'swapping'`,
  );
  const freeInputs = book.prepare("DELETE FROM sale_inputs WHERE sale_id = ?");
  const setReleasedAddress = book.prepare(
    `UPDATE sales SET session_id = NULL, address_released_at = ?
       WHERE sale_id = ? AND state = 'swapping' AND session_id IS NOT NULL`,
  );
  const setKey = book.prepare("UPDATE sales SET key_hash = ?, client_key = ? WHERE sale_id = ?");
  const insertMove = book.prepare("INSERT INTO key_moves (sale_id, moved_at) VALUES (?, ?)");
  const movesSince = book
    .prepare<[string, number], number>("SELECT count(*) FROM key_moves WHERE sale_id = ? AND moved_at > ?")
    .pluck();
  function findClaim(mintKey: string, ys: readonly string[]): Claim {
    const rows = claimRows.all(mintKey, JSON.stringify(ys));
    const first = rows[0]?.sale_id;
    if (first === undefined) return { kind: "none" };
    const whole = rows.length === ys.length && rows.every((row) => row.sale_id === first);
    if (!whole || inputCount.get(first) !== ys.length) return { kind: "overlap" };
    return { kind: "same", sale: mustFind(first) };
  }

  function openSale(sale: NewSale, now: number): Opened {
    if (findClaim(sale.mintKey, sale.ys).kind !== "none") return { kind: "claimed" };
    if (refunded.get(sale.mintKey, JSON.stringify(sale.ys)) !== undefined) return { kind: "claimed" };
    const { amount, currency, unit, rateMbit } = sale.price;
    const first = { price: sale.price, method: "cashu", dTag: sale.dTag };
    const sessionId = reservations.reserve(sale.clientKey, first, now);
    if (sessionId === undefined) return { kind: "no-address" };
    const saleId = randomUUID();
    insertSale.run(
      saleId,
      sale.mintKey,
      sale.mintUrl,
      sale.faceSat,
      sale.journal.feeSat,
      amount,
      currency,
      unit,
      rateMbit ?? null,
      sale.bought.seconds,
      sale.bought.bytes,
      sale.dTag,
      sale.buyerHash,
      sale.keyHash,
      sale.clientKey,
      sessionId,
      now,
    );
    for (const y of sale.ys) insertInput.run(sale.mintKey, y, saleId);
    boundary("within-open");
    insertAttempt.run(saleId, 1, JSON.stringify(sale.journal), now);
    return { kind: "opened", saleId };
  }

  function paid(
    saleId: string,
    proofs: readonly OwnedProof[],
    flaw: string | undefined,
    now: number,
  ): Applied {
    const feeSat = attemptOf(saleId, proofs)?.feeSat ?? mustFind(saleId).feeSat;
    if (setPaid.run(now, flaw ?? null, feeSat, saleId).changes === 0) return "replayed";
    boundary("within-paid");
    takeIn(saleId, proofs, now);
    // Signed inputs and our own secrets twice over: kept only where the mint may still be asked for what it owes.
    if (flaw === undefined) forgetAttempts.run(saleId);
    return "applied";
  }

  /** Answers by how many sat the book is richer. */
  function takeIn(saleId: string, proofs: readonly OwnedProof[], now: number): number {
    let gainedSat = 0;
    for (const p of proofs) {
      const dleq = p.dleq ? JSON.stringify(p.dleq) : null;
      const row = [p.y, p.mintUrl, p.keysetId, p.amountSat, p.secret, p.C, dleq, saleId, now];
      if (insertProof.run(...row).changes > 0) gainedSat += p.amountSat;
    }
    addReceived.run(gainedSat, saleId);
    return gainedSat;
  }

  function madeGood(saleId: string, proofs: readonly OwnedProof[], isFinal: boolean, now: number): number {
    if (!isPaid(mustFind(saleId))) throw new Error("only a paid sale can be owed anything by a mint");
    if (isFinal) forgetAttempts.run(saleId);
    return takeIn(saleId, proofs, now);
  }

  /** Of several attempts, each with a fee of its own, the one that the mint signed. */
  function attemptOf(saleId: string, proofs: readonly OwnedProof[]): SwapJournal | undefined {
    const secrets = new Set(proofs.map((proof) => proof.secret));
    return journals(saleId).find((journal) => journal.outputs.some((output) => secrets.has(output.secret)));
  }

  function journals(saleId: string): SwapJournal[] {
    return attempts.all(saleId).map((text) => JSON.parse(text) as SwapJournal);
  }

  function released(saleId: string, reason: PurchaseReason, now: number): Applied {
    if (setReleased.run(now, reason, saleId).changes === 0) return "replayed";
    boundary("within-released");
    freeInputs.run(saleId);
    forgetAttempts.run(saleId);
    const { sessionId } = mustFind(saleId);
    if (sessionId !== null) sessions.unpin(sessionId, now);
    return "applied";
  }

  function releaseAddress(saleId: string, now: number): Applied {
    const { sessionId } = mustFind(saleId);
    if (sessionId === null || sessions.find(sessionId)?.status !== "pending") return "replayed";
    if (setReleasedAddress.run(now, saleId).changes === 0) return "replayed";
    sessions.unpin(sessionId, now);
    return "applied";
  }

  function newAttempt(saleId: string, journal: SwapJournal, now: number): void {
    if (mustFind(saleId).state !== "swapping")
      throw new Error("only an unresolved sale gets another attempt");
    insertAttempt.run(saleId, attempts.all(saleId).length + 1, JSON.stringify(journal), now);
    setFee.run(journal.feeSat, saleId);
  }

  function moved(saleId: string, keyHash: string, clientKey: string, now: number): void {
    const { clientKey: known } = mustFind(saleId);
    setKey.run(keyHash, known === null ? null : clientKey, saleId);
    insertMove.run(saleId, now);
  }

  return {
    ...grants,
    findClaim,
    /** checks → swapping: sale, claim, session with address and signed swap, all or nothing. Sent when it is `onDisk`. */
    open: (sale: NewSale, now: number) =>
      promised(() => book.transaction(() => openSale(sale, now)).immediate()),
    /** swapping → paid: the proofs are ours. Its buyer is answered when it is `onDisk`. */
    paid: (saleId: string, proofs: readonly OwnedProof[], flaw: string | undefined, now: number) =>
      promised(() => book.transaction(() => paid(saleId, proofs, flaw, now)).immediate()),
    /** Paid sales whose mint answered wrongly and has not said since what it did sign. */
    answeredWrongly: () => answeredWrongly.all(),
    /** What such a mint has signed after all, and whether that is its last word; answers by how many sat the book is richer. */
    madeGood: (saleId: string, proofs: readonly OwnedProof[], isFinal: boolean, now: number) =>
      book.transaction(() => madeGood(saleId, proofs, isFinal, now)).immediate(),
    /** swapping → released: the claim and the address are free. */
    released: (saleId: string, reason: PurchaseReason, now: number) =>
      book.transaction(() => released(saleId, reason, now)).immediate(),
    /** An open sale keeps its claim but not, for ever, an address. */
    releaseAddress: (saleId: string, now: number) =>
      book.transaction(() => releaseAddress(saleId, now)).immediate(),
    newAttempt: (saleId: string, journal: SwapJournal, now: number) =>
      book.transaction(() => newAttempt(saleId, journal, now)).immediate(),
    /** Every signed swap of the sale, oldest first; none once it is resolved, but for a mint that answered wrongly. */
    journals,
    moved: (saleId: string, keyHash: string, clientKey: string, now: number) =>
      book.transaction(() => moved(saleId, keyHash, clientKey, now))(),
    movesSince: (saleId: string, since: number) => movesSince.get(saleId, since) ?? 0,
  };
}
