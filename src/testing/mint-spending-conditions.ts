import { Amount, isHTLCSpendAuthorised, isP2PKSpendAuthorised, type Proof } from "@cashu/cashu-ts";
import type { MintArithmetic } from "./mint-arithmetic.ts";
import { MintError } from "./mint-error.ts";
import type { BlindedMessage, InputProof } from "./mint-messages.ts";

interface LockedSecret {
  kind: "P2PK" | "HTLC";
  data: string;
  tags: string[][];
}

/** Throws `proof-invalid` unless every lock (NUT-11, NUT-14) is opened by its witness. */
export function verifySpendingConditions(
  inputs: readonly InputProof[],
  outputs: readonly BlindedMessage[],
  arithmetic: MintArithmetic,
) {
  const locks = inputs.map((input) => readLock(input.secret));
  if (locks.some((lock) => lock && isSigAll(lock))) return verifySigAll(inputs, outputs, locks);
  for (const [index, input] of inputs.entries()) {
    const lock = locks[index];
    if (lock && !(lock.kind === "P2PK" ? isUnlocked(input, arithmetic) : isAuthorised(lock, input)))
      throw new MintError("proof-invalid", "witness is missing or invalid");
  }
}

/** NUT-11: all inputs carry the same data and tags, and the first one's witness signs the whole swap. */
function verifySigAll(
  inputs: readonly InputProof[],
  outputs: readonly BlindedMessage[],
  locks: readonly (LockedSecret | undefined)[],
) {
  const [firstInput] = inputs;
  const [firstLock] = locks;
  const conditions = new Set(locks.map((lock) => JSON.stringify(lock)));
  if (!firstInput || !firstLock || conditions.size > 1) {
    throw new MintError("proof-invalid", "all inputs must carry the same SIG_ALL conditions");
  }
  const message = [
    ...inputs.map((input) => input.secret + input.C),
    ...outputs.map((output) => `${output.amount}${output.B_}`),
  ].join("");
  if (!isAuthorised(firstLock, firstInput, message)) {
    throw new MintError("proof-invalid", "SIG_ALL witness is missing or invalid");
  }
}

function isUnlocked(input: InputProof, arithmetic: MintArithmetic): boolean {
  try {
    return arithmetic.isUnlocked(proofOf(input));
  } catch {
    // A malformed lock is unspendable (NUT-11).
    return false;
  }
}

function isAuthorised(lock: LockedSecret, input: InputProof, message?: string): boolean {
  const proof = proofOf(input);
  try {
    return lock.kind === "P2PK"
      ? isP2PKSpendAuthorised(proof, undefined, message)
      : isHTLCSpendAuthorised(proof, undefined, message);
  } catch {
    // A malformed lock is unspendable (NUT-11).
    return false;
  }
}

function proofOf({ witness, ...rest }: InputProof): Proof {
  const proof: Proof = { ...rest, amount: Amount.from(rest.amount) };
  if (witness !== undefined) proof.witness = typeof witness === "string" ? witness : JSON.stringify(witness);
  return proof;
}

/** A secret that is no well-known one (NUT-10) is a plain one: anyone who knows it may spend it. */
function readLock(secret: string): LockedSecret | undefined {
  try {
    const parsed: unknown = JSON.parse(secret);
    if (!Array.isArray(parsed) || (parsed[0] !== "P2PK" && parsed[0] !== "HTLC")) return undefined;
    return { kind: parsed[0], data: parsed[1]?.data ?? "", tags: parsed[1]?.tags ?? [] };
  } catch {
    return undefined;
  }
}

function isSigAll(lock: LockedSecret): boolean {
  return lock.tags.some(([name, value]) => name === "sigflag" && value === "SIG_ALL");
}
