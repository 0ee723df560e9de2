import { boundary } from "../boundary.ts";
import type { PurchaseReason } from "../protocol/refusal.ts";
import type { InputState, MintLink, OwnedProof, RestoreOutcome, SwapJournal, SwapOutcome } from "./ports.ts";

/** What one round of asking the mint came to. */
export type Resolution =
  | { kind: "paid"; proofs: OwnedProof[]; flaw: string | undefined }
  | { kind: "released"; reason: PurchaseReason }
  /** The mint refused for its keyset's or fee's sake and took nothing: another attempt may do. */
  | { kind: "renew" }
  | { kind: "open"; why: string };

/** What is remembered of a sale between rounds, in monotonic ms. Lost with the process: a start is in doubt. */
export interface Doubt {
  /** When a request was last sent, or may have been, whose outcome nobody knows. */
  ambiguousAtMs: number | undefined;
  /** When the mint first said that the inputs are spent though it signed none of our outputs. */
  foundSpentAtMs: number | undefined;
}

export interface RoundOptions {
  /** How long after a doubtful request the mint's word is final. */
  settleMs: number;
  nowMs: () => number;
}

/** NUT error codes that say the request was out of date, not the token (fee, keyset). */
const OUT_OF_DATE = new Set([11005, 12001, 12002]);

/**
 * One round with the mint. A request is sent at once only when none is in doubt; else the outputs are restored
 * (NUT-09) and the inputs looked at (NUT-07) first, and the same bytes sent again only when the mint says UNSPENT.
 * No error code decides alone (docs/adr/0002):
 *
 *     signatures                                 → paid; wrong ones in a restore only when the inputs are SPENT
 *     UNSPENT, and a refusal with no doubt       → released, or renew
 *     SPENT, and an empty restore                → released; in doubt only when twice so, settleMs apart
 *     all else, PENDING included                 → open
 */
export async function resolveSwap(
  link: MintLink,
  journals: readonly SwapJournal[],
  doubt: Doubt,
  options: RoundOptions,
): Promise<Resolution> {
  const last = journals.at(-1);
  if (!last) throw new Error("a sale without a journal cannot be settled");
  const earlierDoubtMs = doubt.ambiguousAtMs;
  if (earlierDoubtMs !== undefined) {
    const found = await look(link, journals, last);
    if (found.kind === "paid") return found;
    if (found.inputs !== "UNSPENT") return judge(found, undefined, doubt, earlierDoubtMs, options);
  }
  // Whatever was seen before, from here on another request of ours may be the one that spends the inputs.
  doubt.foundSpentAtMs = undefined;
  boundary("swap-sending");
  const answer = await link.swap(last);
  boundary("swap-answered");
  if (answer.kind === "signed") return { kind: "paid", proofs: answer.proofs, flaw: undefined };
  if (answer.kind === "flawed") return withRestored(answer, await restore(link, journals));
  if (answer.kind === "ambiguous") doubt.ambiguousAtMs = options.nowMs();
  const found = await look(link, journals, last);
  return found.kind === "paid" ? found : judge(found, answer, doubt, earlierDoubtMs, options);
}

/** A wrong answer to a swap stays wrong, and the mint with it, also when the restore makes good what was missing. */
function withRestored(
  answer: Extract<SwapOutcome, { kind: "flawed" }>,
  restored: RestoreOutcome,
): Extract<Resolution, { kind: "paid" }> {
  const found = restored.kind === "signed" || restored.kind === "flawed" ? restored.proofs : [];
  const byY = new Map([...answer.proofs, ...found].map((proof) => [proof.y, proof]));
  return { kind: "paid", proofs: [...byY.values()], flaw: answer.detail };
}

interface Unsigned {
  kind: "unsigned";
  restored: Extract<RestoreOutcome, { kind: "empty" | "unknown" }>;
  inputs: InputState;
}

async function look(
  link: MintLink,
  journals: readonly SwapJournal[],
  last: SwapJournal,
): Promise<Extract<Resolution, { kind: "paid" }> | Unsigned> {
  const restored = await restore(link, journals);
  if (restored.kind === "signed") return { kind: "paid", proofs: restored.proofs, flaw: undefined };
  const inputs = await link.inputState(last.mintUrl, last.inputYs);
  if (restored.kind !== "flawed") return { kind: "unsigned", restored, inputs };
  // As long as nothing is spent, wrong signatures are no payment, only a mint that cannot be understood.
  if (inputs === "SPENT") return { kind: "paid", proofs: restored.proofs, flaw: restored.detail };
  return { kind: "unsigned", restored: { kind: "unknown", why: restored.detail }, inputs };
}

/** A restore may fall into the middle of a mint's signing, and taking a part would be final: it is asked for twice. */
export async function restore(link: MintLink, journals: readonly SwapJournal[]): Promise<RestoreOutcome> {
  const restored = await link.restore([...journals]);
  return restored.kind === "flawed" ? link.restore([...journals]) : restored;
}

function judge(
  { restored, inputs }: Unsigned,
  answer: Extract<SwapOutcome, { kind: "refused" | "ambiguous" }> | undefined,
  doubt: Doubt,
  earlierDoubtMs: number | undefined,
  { settleMs, nowMs }: RoundOptions,
): Resolution {
  if (restored.kind === "unknown") return { kind: "open", why: restored.why };
  if (inputs === "SPENT") {
    doubt.foundSpentAtMs ??= nowMs();
    if (doubt.ambiguousAtMs === undefined || nowMs() - doubt.foundSpentAtMs >= settleMs) {
      return { kind: "released", reason: "double-spent" };
    }
    return { kind: "open", why: "the inputs are spent, but our swap may still be being written" };
  }
  doubt.foundSpentAtMs = undefined;
  if (inputs !== "UNSPENT") return { kind: "open", why: `the inputs are ${inputs}` };
  if (answer?.kind !== "refused") return { kind: "open", why: answer?.why ?? "the mint was not asked" };
  if (earlierDoubtMs !== undefined && nowMs() - earlierDoubtMs < settleMs) {
    return { kind: "open", why: "refused, but an earlier request may still be under way" };
  }
  return OUT_OF_DATE.has(answer.code) ? { kind: "renew" } : { kind: "released", reason: "invalid-token" };
}
