import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Amount, type Proof } from "@cashu/cashu-ts";
import { blind, unblind } from "../../cashu/curve.ts";
import { encodeToken, lockedSecret } from "../ecash.ts";

/** 100 sat, as a wallet would split them. */
const DENOMINATIONS_SAT = [4, 32, 64];
const TOKEN_SAT = 100;
const TOKENS_AT_ONCE = 40;
const POLL_MS = 200;
const POLLS = 100;

interface Keyset {
  id: string;
  keys: Record<string, string>;
}

interface Signature {
  C_: string;
  dleq: { e: string; s: string };
}

/** So many tokens of 100 sat, locked to this key, with NUT-12 proofs. */
export async function mintLockedTokens(mintUrl: string, count: number, pubkey: string): Promise<string[]> {
  const keyset = await activeKeyset(mintUrl);
  const tokens: string[] = [];
  while (tokens.length < count) {
    tokens.push(
      ...(await mintBatch(mintUrl, keyset, Math.min(TOKENS_AT_ONCE, count - tokens.length), pubkey)),
    );
  }
  return tokens;
}

async function activeKeyset(mintUrl: string): Promise<Keyset> {
  const { keysets } = await ask<{ keysets: { id: string; unit: string; active: boolean }[] }>(
    `${mintUrl}/v1/keysets`,
  );
  const id = keysets.find(({ unit, active }) => unit === "sat" && active)?.id;
  const { keysets: withKeys } = await ask<{ keysets: Keyset[] }>(`${mintUrl}/v1/keys/${id}`);
  const [keyset] = withKeys;
  if (!keyset) throw new Error("the mint has no active keyset for sat");
  return keyset;
}

async function mintBatch(mintUrl: string, keyset: Keyset, count: number, pubkey: string): Promise<string[]> {
  const coins = Array.from({ length: count }, () => DENOMINATIONS_SAT)
    .flat()
    .map((amount) => {
      const secret = lockedSecret({ pubkey });
      // Below the order but for one case in 2^128.
      const r = randomBytes(32).toString("hex");
      return { amount, secret, r, B_: blind(secret, r) };
    });
  const quote = await paidQuote(mintUrl, count * TOKEN_SAT);
  const outputs = coins.map(({ amount, B_ }) => ({ amount, id: keyset.id, B_ }));
  const { signatures } = await ask<{ signatures: Signature[] }>(`${mintUrl}/v1/mint/bolt11`, {
    quote,
    outputs,
  });
  const proofs = coins.map(({ amount, secret, r }, index): Proof => {
    const { C_ = "", dleq = { e: "", s: "" } } = signatures[index] ?? {};
    const C = unblind(C_, r, keyset.keys[amount] ?? "");
    return { id: keyset.id, amount: Amount.from(amount), secret, C, dleq: { ...dleq, r } };
  });
  const size = DENOMINATIONS_SAT.length;
  return Array.from({ length: count }, (_, index) =>
    encodeToken(proofs.slice(index * size, (index + 1) * size), mintUrl),
  );
}

async function paidQuote(mintUrl: string, amountSat: number): Promise<string> {
  const { quote } = await ask<{ quote: string }>(`${mintUrl}/v1/mint/quote/bolt11`, {
    amount: amountSat,
    unit: "sat",
  });
  for (let poll = 0; poll < POLLS; poll += 1) {
    const { state } = await ask<{ state: string }>(`${mintUrl}/v1/mint/quote/bolt11/${quote}`);
    if (state === "PAID") return quote;
    await sleep(POLL_MS);
  }
  throw new Error("the mint's quote was not paid in time");
}

async function ask<T>(url: string, body?: unknown): Promise<T> {
  const response = await fetch(
    url,
    body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  );
  if (!response.ok) throw new Error(`the mint answered HTTP ${response.status}`);
  return (await response.json()) as T;
}
