import { randomUUID } from "node:crypto";
import { boundary } from "../boundary.ts";
import type { Book } from "../db/open-book.ts";
import type { SwapJournal } from "../sales/ports.ts";

/**
 * A refund's states:
 *
 *     swapping ──→ refunded
 *        └──→ released
 *
 * `swapping`: the signed swap is in the book and may have been sent. `refunded`: the new token is in the book, and is what
 * every repetition is answered with. `released`: the mint took nothing of ours; the claim is free again.
 */
export interface Refund {
  refundId: string;
  state: "swapping" | "refunded" | "released";
  mintKey: string;
  faceSat: number;
  feeSat: number;
  /** In `token`; less than face and fee leave only when the mint answered wrongly. */
  givenSat: number;
  lockedTo: string | null;
  token: string | null;
}

export interface NewRefund {
  mintKey: string;
  mintUrl: string;
  faceSat: number;
  lockedTo: string | undefined;
  ys: readonly string[];
  journal: SwapJournal;
}

export type RefundClaim = { kind: "none" } | { kind: "overlap" } | { kind: "same"; refund: Refund };
/** `claimed`: meanwhile a sale or another refund has some of the proofs. */
export type OpenedRefund = { kind: "opened"; refundId: string } | { kind: "claimed" };

export type RefundStore = ReturnType<typeof createRefundStore>;

/** Refunds in the book, one verb for each arrow. */
export function createRefundStore(book: Book) {
  const columns = `refund_id AS refundId, state, mint_key AS mintKey, face_sat AS faceSat, fee_sat AS feeSat,
    given_sat AS givenSat, locked_to AS lockedTo, token`;
  const byId = book.prepare<[string], Refund>(`SELECT ${columns} FROM refunds WHERE refund_id = ?`);
  const open = book
    .prepare<[], string>("SELECT refund_id FROM refunds WHERE state = 'swapping' ORDER BY created_at")
    .pluck();
  const claimRows = book
    .prepare<[string, string], string>(
      "SELECT refund_id FROM refund_inputs WHERE mint_key = ? AND y IN (SELECT value FROM json_each(?))",
    )
    .pluck();
  const inputCount = book
    .prepare<[string], number>("SELECT count(*) FROM refund_inputs WHERE refund_id = ?")
    .pluck();
  const soldRows = book.prepare(
    "SELECT 1 FROM sale_inputs WHERE mint_key = ? AND y IN (SELECT value FROM json_each(?)) LIMIT 1",
  );
  const insert = book.prepare(
    `INSERT INTO refunds (refund_id, state, mint_key, mint_url, face_sat, fee_sat, locked_to, journal, created_at)
     VALUES (?, 'swapping', ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertInput = book.prepare("INSERT INTO refund_inputs (mint_key, y, refund_id) VALUES (?, ?, ?)");
  const journalOf = book
    .prepare<[string], string | null>("SELECT journal FROM refunds WHERE refund_id = ?")
    .pluck();
  // The outputs' secrets are kept where the mint answered wrongly: without them, what it still owes is lost.
  const setRefunded = book.prepare(
    `UPDATE refunds SET state = 'refunded', token = ?, given_sat = ?, flaw = ?, ended_at = ?,
       journal = iif(? IS NULL, NULL, journal)
       WHERE refund_id = ? AND state = 'swapping'`,
  );
  const setReleased = book.prepare(
    `UPDATE refunds SET state = 'released', release_reason = ?, ended_at = ?, journal = NULL
       WHERE refund_id = ? AND state = 'swapping'`,
  );
  const freeInputs = book.prepare("DELETE FROM refund_inputs WHERE refund_id = ?");

  function mustFind(refundId: string): Refund {
    const refund = byId.get(refundId);
    if (!refund) throw new Error("the book has lost a refund that it names");
    return refund;
  }

  function findClaim(mintKey: string, ys: readonly string[]): RefundClaim {
    const ids = claimRows.all(mintKey, JSON.stringify(ys));
    const [first] = ids;
    if (first === undefined) return { kind: "none" };
    const isWhole = ids.length === ys.length && ids.every((id) => id === first);
    if (!isWhole || inputCount.get(first) !== ys.length) return { kind: "overlap" };
    return { kind: "same", refund: mustFind(first) };
  }

  function openRefund(refund: NewRefund, now: number): OpenedRefund {
    const { mintKey, mintUrl, faceSat, lockedTo, ys, journal } = refund;
    const isSold = soldRows.get(mintKey, JSON.stringify(ys)) !== undefined;
    if (isSold || findClaim(mintKey, ys).kind !== "none") return { kind: "claimed" };
    const refundId = randomUUID();
    insert.run(
      refundId,
      mintKey,
      mintUrl,
      faceSat,
      journal.feeSat,
      lockedTo ?? null,
      JSON.stringify(journal),
      now,
    );
    for (const y of ys) insertInput.run(mintKey, y, refundId);
    boundary("within-refund");
    return { kind: "opened", refundId };
  }

  function released(refundId: string, reason: string, now: number): void {
    if (setReleased.run(reason, now, refundId).changes > 0) freeInputs.run(refundId);
  }

  return {
    mustFind,
    findClaim,
    /** The signed swaps that are not resolved, oldest first. */
    openRefunds: () => open.all(),
    journal(refundId: string): SwapJournal {
      const text = journalOf.get(refundId);
      if (typeof text !== "string") throw new Error("a refund without a journal cannot be settled");
      return JSON.parse(text) as SwapJournal;
    },
    /** Claim and signed swap, all or nothing. */
    open: (refund: NewRefund, now: number) => book.transaction(() => openRefund(refund, now)).immediate(),
    /** swapping → refunded. */
    refunded: (
      refundId: string,
      token: string | null,
      givenSat: number,
      flaw: string | undefined,
      now: number,
    ) => void setRefunded.run(token, givenSat, flaw ?? null, now, flaw ?? null, refundId),
    /** swapping → released: the claim is free. */
    released: (refundId: string, reason: string, now: number) =>
      book.transaction(() => released(refundId, reason, now)).immediate(),
  };
}
