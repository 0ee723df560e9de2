import { type CheckedConf, type OwnServer, readConf } from "./read-conf.ts";

/** Why there is no answer yet. */
export type Waiting = "unpaid" | "busy" | "silent";

/** Why there will be none. */
export type Failure = "no-crypto" | "wrong-preimage" | "unknown-payment" | "refused" | "unfit" | "too-late";

export type PresentConf = { conf: CheckedConf } | { failure: Failure };

export interface Surroundings {
  server: OwnServer;
  /** Asks the page's own origin, past every cache. Rejects when there is no answer. */
  get(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
  pause(ms: number): Promise<void>;
  nowMs(): number;
  /** Told before each pause. */
  onWaiting(why: Waiting): void;
}

/** How long it is asked again while the payment is on its way, or the tunnel not up. */
const ASK_FOR_MS = 180_000;
const PAUSE_MS = 3_000;
const MAX_PAUSE_MS = 30_000;
/** The server waits for the tunnel for up to 20 s before it answers. */
const ANSWER_WITHIN_MS = 25_000;
const MAX_ANSWER_CHARACTERS = 16_384;

/**
 * The .conf as it is now, from the page's own origin (rule 26); the preimage proves the payment. Asks again for at
 * most three minutes and the time that the last answer takes. Never rejects.
 */
export async function askForPresentConf(preimage: string, around: Surroundings): Promise<PresentConf> {
  const paymentHash = await sha256Hex(preimage);
  if (paymentHash === undefined) return { failure: "no-crypto" };
  const giveUpAtMs = around.nowMs() + ASK_FOR_MS;
  for (;;) {
    const answer = await askOnce(paymentHash, preimage, around);
    if (!("waiting" in answer)) return answer;
    if (around.nowMs() + answer.pauseMs > giveUpAtMs) return { failure: "too-late" };
    around.onWaiting(answer.waiting);
    await around.pause(answer.pauseMs);
  }
}

type Answer = PresentConf | { waiting: Waiting; pauseMs: number };

async function askOnce(
  paymentHash: string,
  preimage: string,
  { get, server }: Surroundings,
): Promise<Answer> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), ANSWER_WITHIN_MS);
  try {
    const headers = { authorization: `Preimage ${preimage}` };
    const response = await get(`/lnurlp/config/${paymentHash}`, headers, timeout.signal);
    return toAnswer(response, await response.text(), server);
  } catch {
    return { waiting: "silent", pauseMs: PAUSE_MS };
  } finally {
    clearTimeout(timer);
  }
}

function toAnswer({ status, headers }: Response, body: string, server: OwnServer): Answer {
  switch (status) {
    case 200:
      return presentConf(body, server);
    case 401:
      return { failure: "wrong-preimage" };
    case 402:
      return readField(body, "reason") === "payment-required"
        ? { waiting: "unpaid", pauseMs: PAUSE_MS }
        : { failure: "refused" };
    case 404:
      return { failure: "unknown-payment" };
    // The daemon's, or the proxy's while the daemon restarts.
    case 429:
    case 502:
    case 503:
    case 504:
      return { waiting: "busy", pauseMs: pauseMsOf(headers.get("retry-after")) };
    default:
      return { failure: "refused" };
  }
}

function presentConf(body: string, server: OwnServer): PresentConf {
  const text = readField(body, "config");
  const reading = text === undefined ? undefined : readConf(text, server);
  return reading !== undefined && "conf" in reading ? reading : { failure: "unfit" };
}

function readField(body: string, name: string): string | undefined {
  if (body.length > MAX_ANSWER_CHARACTERS) return undefined;
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof answer !== "object" || answer === null) return undefined;
  const value: unknown = Object.entries(answer).find(([key]) => key === name)?.[1];
  return typeof value === "string" ? value : undefined;
}

function pauseMsOf(retryAfter: string | null): number {
  const askedMs = Number(retryAfter ?? 0) * 1000;
  return Math.min(Math.max(askedMs || 0, PAUSE_MS), MAX_PAUSE_MS);
}

/** `undefined` where the browser has no Web Crypto: the page came neither over https nor from localhost. */
async function sha256Hex(hex: string): Promise<string | undefined> {
  const subtle: typeof crypto.subtle | undefined = crypto.subtle;
  if (subtle === undefined) return undefined;
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
