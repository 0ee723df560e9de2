import { HttpResponseError, type Proof, Wallet } from "@cashu/cashu-ts";
import { encodeToken } from "../ecash.ts";
import type { WalletProof } from "./wallet-reader.ts";

export type CoinState = "UNSPENT" | "PENDING" | "SPENT";

const STATES_AT_ONCE = 100;
const SPENT_AT_ONCE = 40;

/** The mint's own record (NUT-07), by Y. */
export async function coinStates(mintUrl: string, ys: Iterable<string>): Promise<Map<string, CoinState>> {
  const states = new Map<string, CoinState>();
  for (const Ys of chunks([...new Set(ys)], STATES_AT_ONCE)) {
    const answer = await post(`${mintUrl}/v1/checkstate`, { Ys });
    for (const { Y, state } of (answer as { states: { Y: string; state: CoinState }[] }).states) {
      states.set(Y, state);
    }
  }
  return states;
}

/** Input fees in thousandths of a sat per proof (NUT-02), by keyset id. */
export async function inputFees(mintUrl: string): Promise<Map<string, number>> {
  const response = await fetch(`${mintUrl}/v1/keysets`);
  const { keysets } = (await response.json()) as { keysets: { id: string; input_fee_ppk?: number }[] };
  return new Map(keysets.map(({ id, input_fee_ppk }) => [id, input_fee_ppk ?? 0]));
}

/** NUT-02: rounded up once, over all inputs. */
export function feeSat(fees: ReadonlyMap<string, number>, keysetIds: readonly string[]): number {
  return Math.ceil(keysetIds.reduce((sum, id) => sum + (fees.get(id) ?? 0), 0) / 1000);
}

/** Spends proofs at the mint, which alone shows that they are worth anything. Answers what they were worth, in sat. */
export async function spendAll(mintUrl: string, proofs: readonly WalletProof[]): Promise<number> {
  const wallet = new Wallet(mintUrl);
  await wallet.loadMint();
  const fees = await inputFees(mintUrl);
  let worthSat = 0;
  for (const batch of chunks(proofs, SPENT_AT_ONCE)) {
    const token = encodeToken(batch as unknown as Proof[], mintUrl);
    const fresh = await wallet.receive(token).catch(unlessRefused([]));
    if (fresh.length === 0) continue;
    const feePaidSat = feeSat(
      fees,
      batch.map(({ id }) => id),
    );
    worthSat += fresh.reduce((sum, { amount }) => sum + Number(amount.toString()), 0) + feePaidSat;
  }
  return worthSat;
}

/** `value` where the mint refused. Without its answer nobody knows what it did: that is no finding, but the run's end. */
export function unlessRefused<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof HttpResponseError) return value;
    throw error;
  };
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the mint answered HTTP ${response.status}`);
  return response.json();
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
