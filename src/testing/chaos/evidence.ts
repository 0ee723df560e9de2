import type { NodeInvoice } from "../lightning/owned-node.ts";
import type { BookAsRead } from "./book-reader.ts";
import type { Crowd } from "./crowd.ts";
import type { CoinState } from "./mint-record.ts";
import type { Payment } from "./payments.ts";
import type { Person } from "./people.ts";

/** All that is looked at from outside once everything has come to rest. */
export interface Evidence {
  crowd: Crowd;
  book: BookAsRead;
  /** The node's own ledger. */
  invoices: NodeInvoice[];
  /** The mint's word, of every proof that anybody ever had. */
  states: ReadonlyMap<string, CoinState>;
  /** Input fees in thousandths of a sat, by keyset id. */
  fees: ReadonlyMap<string, number>;
  /** The operator's proofs as a fresh NIP-60 client reads them. */
  wallet: { secret: string; amountSat: number; y: string }[];
  /** What the mint gave for those proofs when they were spent. */
  walletWorthSat: number;
  /** Peers that a fresh daemon put on its interface. */
  peers: number;
}

/** What buyers sent, and whom a tunnel was granted for it: their own word. */
export interface Claims {
  payments: Payment[];
  granted: ReadonlyMap<Payment, Person[]>;
}

/** What one check finds. */
export interface Findings {
  lose(sat: number, why: string): void;
  grantedTwice(why: string): void;
  wrong(what: string): void;
}

export function claimsOf(crowd: Crowd): Claims {
  const bought = crowd.pursuits.filter(({ isMove }) => !isMove);
  const granted = new Map<Payment, Person[]>();
  for (const { payment, person, outcome } of bought) {
    if (outcome?.kind === "granted") granted.set(payment, [...(granted.get(payment) ?? []), person]);
  }
  return { payments: [...new Set(bought.map(({ payment }) => payment))], granted };
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
