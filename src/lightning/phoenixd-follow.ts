import * as z from "zod";
import { type LightningNode, NodeError, type Payment } from "../sales/lightning/ports.ts";
import { isUnknownPayment, notUnderstood, type PhoenixdHttp, readJson } from "./phoenixd-http.ts";
import { incomingPayment, isReferenced, toPayment } from "./phoenixd-messages.ts";
import { openPaymentStream, type StreamSettings } from "./phoenixd-stream.ts";

const PAGE_SIZE = 100;
const MAX_PAGES = 300;
/** Payments are not told in the strict order of their times, and phoenixd's clock may be set back a little. */
const OVERLAP_MS = 10 * 60_000;
const MAX_REMEMBERED = 10_000;

interface Settled {
  payment: Payment;
  /** Unix milliseconds by phoenixd's clock. */
  completedAt: number;
}

/**
 * The stream is opened before the missed payments are asked for: what comes meanwhile waits in it. Nothing is
 * replayed on it, so any doubt ends the following, and the next one catches up.
 */
export function createFollowing(http: PhoenixdHttp, streamSettings: StreamSettings): LightningNode["follow"] {
  const remembered = createMemory();

  return async (cursor, report, signal) => {
    let latest = cursor ?? 0;
    const tell = ({ payment, completedAt }: Settled) => {
      signal.throwIfAborted();
      const isOverlap = cursor !== undefined && completedAt <= cursor;
      if (isOverlap && remembered.has(payment.paymentHash)) return;
      latest = Math.max(latest, completedAt);
      report(payment, latest);
      remembered.add(payment.paymentHash);
    };
    try {
      const stream = await openPaymentStream(streamSettings, signal);
      try {
        if (cursor !== undefined) (await settledSince(http, cursor - OVERLAP_MS, signal)).forEach(tell);
        for await (const paymentHash of stream) {
          const settled = await settledNow(http, paymentHash, signal);
          if (settled) tell(settled);
        }
      } finally {
        stream.close();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
}

/** Oldest first. */
async function settledSince(http: PhoenixdHttp, fromMs: number, signal: AbortSignal): Promise<Settled[]> {
  const found: Settled[] = [];
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = {
      from: String(Math.max(0, fromMs)),
      limit: String(PAGE_SIZE),
      offset: String(page * PAGE_SIZE),
    };
    const entries = readJson(await http.get("/payments/incoming", query, signal), z.array(z.unknown()));
    // A short page is not the last one: deposits on chain count for the limit and are left out afterwards.
    if (entries.length === 0) return found.sort((a, b) => a.completedAt - b.completedAt);
    found.push(...entries.map(readSettled).filter((settled) => settled !== undefined));
  }
  throw new NodeError("silent", `phoenixd lists more than ${MAX_PAGES * PAGE_SIZE} missed payments`);
}

async function settledNow(
  http: PhoenixdHttp,
  paymentHash: string,
  signal: AbortSignal,
): Promise<Settled | undefined> {
  const answer = await http.get(`/payments/incoming/${paymentHash}`, {}, signal);
  if (isUnknownPayment(answer)) return undefined;
  return readSettled(readJson(answer, z.looseObject({ paymentHash: z.literal(paymentHash) })));
}

/** Undefined for a payment that is not ours and in a form that we do not know. */
function readSettled(entry: unknown): Settled | undefined {
  const parsed = incomingPayment.safeParse(entry);
  if (parsed.success && parsed.data.isPaid && typeof parsed.data.completedAt === "number") {
    return { payment: toPayment(parsed.data), completedAt: parsed.data.completedAt };
  }
  if (isReferenced(entry)) throw notUnderstood();
  return undefined;
}

/** The last payments whose report was taken: the overlap need not tell them again. */
function createMemory() {
  const hashes = new Set<string>();
  return {
    has: (hash: string) => hashes.has(hash),
    add(hash: string) {
      hashes.add(hash);
      const [oldest] = hashes;
      if (hashes.size > MAX_REMEMBERED && oldest !== undefined) hashes.delete(oldest);
    },
  };
}
