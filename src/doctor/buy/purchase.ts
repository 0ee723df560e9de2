import { setTimeout as sleep } from "node:timers/promises";
import { finalizeEvent } from "nostr-tools/pure";
import { z } from "zod";
import { listingCoordinate } from "../../protocol/listing.ts";
import { buildAuthorization, encodeAuthorization } from "../../protocol/purchase-auth.ts";
import { type Asked, ask, type Door } from "../name/ask.ts";
import type { Subject } from "../subject.ts";
import type { Buyer } from "./buyer.ts";
import type { UsableToken } from "./token.ts";

export type Bought =
  | { kind: "granted"; conf: string; expiresAt: number }
  /** In the daemon's own words. */
  | { kind: "refused"; said: string }
  /** No answer that says either. */
  | { kind: "unclear"; why: string };

const TRIES_WITHIN_MS = 90_000;
const PAUSE_MS = 3_000;
/** Longer than the daemon takes. */
const ANSWER_WITHIN_MS = 30_000;

const grantedSchema = z.object({ config: z.string(), expires_at: z.number() });
const refusedSchema = z.object({ reason: z.string(), message: z.string() });

/** As a buyer's client: the same request again while nothing is decided. */
export async function purchase(
  door: Door,
  subject: Subject,
  token: UsableToken,
  buyer: Buyer,
  signal: AbortSignal,
): Promise<Bought> {
  const deadlineMs = performance.now() + TRIES_WITHIN_MS;
  for (;;) {
    const answer = judge(await send(door, subject, token, buyer));
    if (answer.kind !== "unclear" || signal.aborted || performance.now() > deadlineMs) return answer;
    await sleep(PAUSE_MS);
  }
}

function send(
  door: Door,
  { config, clock }: Subject,
  { text, price }: UsableToken,
  buyer: Buyer,
): Promise<Asked> {
  const template = buildAuthorization({
    now: clock.now(),
    publicHost: config.server.publicHost,
    coordinate: listingCoordinate(config.nostr.pubkey, config.listing.dTag),
    price,
  });
  return ask(door, "/purchase", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: encodeAuthorization(finalizeEvent(template, buyer.nostrKey)),
      "x-cashu": text,
    },
    body: JSON.stringify({ protocol: "wireguard", client_pubkey: buyer.publicKey }),
    verified: true,
    withinMs: ANSWER_WITHIN_MS,
  });
}

function judge(asked: Asked): Bought {
  if (asked.kind === "failed") return { kind: "unclear", why: `no answer (${asked.code})` };
  const body = jsonOrUndefined(asked.text);
  const granted = grantedSchema.safeParse(body);
  if (asked.status === 200 && granted.success) {
    return { kind: "granted", conf: granted.data.config, expiresAt: granted.data.expires_at };
  }
  const refused = refusedSchema.safeParse(body);
  const said = refused.success ? `${refused.data.reason}: ${refused.data.message}` : `HTTP ${asked.status}`;
  const decided = refused.success && asked.status >= 400 && asked.status < 500 && asked.status !== 429;
  return decided ? { kind: "refused", said } : { kind: "unclear", why: said };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
