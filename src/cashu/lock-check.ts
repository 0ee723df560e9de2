import { JSONInt } from "@cashu/cashu-ts";
import * as z from "zod";
import { Refusal } from "../protocol/refusal.ts";
import { isPoint } from "./curve.ts";

/** A lock that opens to others this soon could be spent under our swap. */
const LOCKTIME_MARGIN_SECONDS = 600;
const MAX_TAG_VALUES = 16;
/** Each key is a point to check: a square root apiece. */
const MAX_FOREIGN_KEYS = 32;

const knownTags = ["sigflag", "pubkeys", "n_sigs", "locktime", "refund", "n_sigs_refund"] as const;
type TagName = (typeof knownTags)[number];
type Tags = Map<TagName, string[]>;

/** NUT-10 as NUT-11 fills it. Fields beyond these would be conditions that nobody here knows. */
const secretSchema = z.tuple([
  z.string(),
  z.strictObject({
    nonce: z.string().min(1).max(256),
    data: z.string(),
    tags: z.array(z.array(z.string().min(1)).min(1)).nullish(),
  }),
]);

/**
 * Every secret is locked (NUT-11) so that the operator's one signature spends it, now and for ten minutes:
 * accepted are his key alone or 1-of-n with it, either parity, with or without a locktime further ahead and its
 * refund keys. Throws `Refusal` `wrong-p2pk` that says what would fit. `now` in unix seconds.
 */
export function checkLocks(secrets: string[], pubkeyHex: string, now: number): void {
  const ours = xOnly(pubkeyHex);
  const keys = new Set<string>();
  for (const secret of secrets) {
    const problem = lockProblem(secret, ours, now, keys);
    if (problem !== undefined) throw wrongLock(problem, pubkeyHex);
  }
  keys.delete(ours);
  if (keys.size > MAX_FOREIGN_KEYS) throw wrongLock("its locks name too many keys", pubkeyHex);
  for (const key of keys) {
    if (!isPoint(`02${key}`)) throw wrongLock("its lock names a key that is none", pubkeyHex);
  }
}

function wrongLock(problem: string, pubkeyHex: string): Refusal {
  return new Refusal(
    "wrong-p2pk",
    `${problem}; lock every proof by P2PK (NUT-11) to ${pubkeyHex}, which must suffice alone, ` +
      "with no locktime or one more than 10 minutes ahead",
  );
}

function lockProblem(secret: string, ours: string, now: number, keys: Set<string>): string | undefined {
  const parsed = secretSchema.safeParse(strictJson(secret));
  if (!parsed.success) return secret.trimStart().startsWith("[") ? malformed : "the token is not locked";
  const [kind, { data, tags: listed }] = parsed.data;
  if (kind === "HTLC") return "the token is locked to a hash (HTLC)";
  if (kind !== "P2PK") return "the token is locked in an unknown way";
  const tags = readTags(listed ?? []);
  if (typeof tags === "string") return tags;
  return keysProblem(data, tags, ours, keys) ?? signatureProblem(tags) ?? locktimeProblem(tags, now);
}

const malformed = "the token's lock is malformed";

/** Doubled keys would mean one thing here and another at a mint that reads the first. */
function strictJson(text: string): unknown {
  try {
    return JSONInt.parse(text, undefined, { strict: true });
  } catch {
    return undefined;
  }
}

/** NUT-11: a tag that stands twice makes the proof unspendable. */
function readTags(listed: string[][]): Tags | string {
  const tags: Tags = new Map();
  for (const [name, ...values] of listed) {
    const known = knownTags.find((tag) => tag === name);
    if (known === undefined) return "the token's lock has a condition that is unknown here";
    const many = known === "pubkeys" || known === "refund";
    if (tags.has(known) || values.length === 0 || values.length > (many ? MAX_TAG_VALUES : 1))
      return malformed;
    tags.set(known, values);
  }
  return tags;
}

function keysProblem(data: string, tags: Tags, ours: string, keys: Set<string>): string | undefined {
  const signers = [data, ...(tags.get("pubkeys") ?? [])];
  const refunds = tags.get("refund") ?? [];
  if (![...signers, ...refunds].every((key) => /^0[23][0-9a-f]{64}$/i.test(key))) {
    return "the token's lock names a key that is not 66 hex characters with 02 or 03 in front";
  }
  const signerSet = new Set(signers.map(xOnly));
  const refundSet = new Set(refunds.map(xOnly));
  if (!signerSet.has(ours)) return "the token is locked to another key";
  if (signerSet.size !== signers.length || refundSet.size !== refunds.length) return malformed;
  for (const key of [...signerSet, ...refundSet]) keys.add(key);
  return undefined;
}

function signatureProblem(tags: Tags): string | undefined {
  const [flag = "SIG_INPUTS"] = tags.get("sigflag") ?? [];
  if (flag === "SIG_ALL") return "the token's lock wants a signature over all outputs (SIG_ALL)";
  if (flag !== "SIG_INPUTS") return malformed;
  const needed = count(tags.get("n_sigs"));
  const neededForRefund = count(tags.get("n_sigs_refund"));
  if (needed === undefined || neededForRefund === undefined) return malformed;
  if (tags.has("n_sigs_refund") && neededForRefund > (tags.get("refund") ?? []).length) return malformed;
  return needed > 1 ? "the token's lock wants more than one signature" : undefined;
}

/** NUT-11: an absent number of signatures means one; not a positive integer, malformed. */
function count(values: string[] | undefined): number | undefined {
  const [text = "1"] = values ?? [];
  return /^[1-9]\d{0,2}$/.test(text) ? Number(text) : undefined;
}

function locktimeProblem(tags: Tags, now: number): string | undefined {
  const [text] = tags.get("locktime") ?? [];
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) return malformed;
  const locktime = Number(text);
  if (locktime <= now) return "the token's locktime has passed, others can spend it";
  if (locktime <= now + LOCKTIME_MARGIN_SECONDS) return "the token's locktime passes within 10 minutes";
  return undefined;
}

function xOnly(pubkeyHex: string): string {
  return pubkeyHex.slice(-64).toLowerCase();
}
