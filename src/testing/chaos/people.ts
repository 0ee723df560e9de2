import { generateSecretKey } from "nostr-tools/pure";
import { type Buyer, createBuyer } from "../buyer.ts";
import type { WalletInvoice } from "../wallet.ts";
import type { Payment } from "./payments.ts";
import type { InvoicePlan } from "./plan-invoices.ts";

/** Somebody with a Nostr key, who has, had or wants one tunnel. */
export interface Person {
  nostrKey: Uint8Array;
  /** With the WireGuard key that he uses now. */
  buyer: Buyer;
  /** The tokens that he was given a `.conf` for. */
  granted: Payment[];
  /** The invoices that he was given. */
  bills: Bill[];
  /** Of his `.conf`; undefined while he has none. */
  address: string | undefined;
  /** What he asks for at this moment. */
  asking: number;
  moves: number;
}

/** An invoice in the wallet of whoever asked for it. */
export interface Bill {
  person: Person;
  plan: InvoicePlan;
  invoice: WalletInvoice;
  /** His wallet has it once the node took his payment. */
  preimage: string | undefined;
  /** He has shown the preimage and was given his `.conf`. */
  isClaimed: boolean;
  lastReason: string | undefined;
}

export function createPerson(): Person {
  const nostrKey = generateSecretKey();
  return {
    nostrKey,
    buyer: createBuyer(nostrKey),
    granted: [],
    bills: [],
    address: undefined,
    asking: 0,
    moves: 0,
  };
}

/** A `.conf` came. Answers what is wrong with its address, if something is: a tunnel has the same one for ever. */
export function keepAddress(person: Person, address: string): string | undefined {
  const { address: former } = person;
  person.address = address;
  return former === undefined || former === address
    ? undefined
    : `a tunnel's address changed from ${former} to ${address}`;
}
