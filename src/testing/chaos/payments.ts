import { createECDH } from "node:crypto";
import { type Proof, Wallet } from "@cashu/cashu-ts";
import { encodeToken, mintToken } from "../ecash.ts";
import { yOf } from "../mint-ledger.ts";
import { unlessRefused } from "./mint-record.ts";
import type { TokenPlan } from "./plan-actions.ts";

export interface Coin {
  y: string;
  keysetId: string;
  amountSat: number;
}

/** A token that some buyer sends, and what is known of it outside the daemon. */
export interface Payment {
  plan: TokenPlan;
  token: string;
  coins: Coin[];
  /** The buyer has taken it back himself: the mint signed for him. */
  spentElsewhere: boolean;
  /** Takes it back at the mint, if the lock lets the buyer and nobody was faster. */
  takeBack(): Promise<void>;
}

/** Where tokens come from, and for whom they are. */
export interface TokenSource {
  /** The mint itself. */
  mintUrl: string;
  /** The mint as the operator's listing names it. */
  listedUrl: string;
  operatorPubkey: string;
}

/** Parts of two overlapping tokens that only one of them has, in sat. */
const OWN_PART_SAT = 8;

/** One token that pays for the plan, locked to the operator alone or to either of him and the buyer. */
export async function makePayment(
  source: TokenSource,
  plan: TokenPlan,
  buyerMayTakeBack: boolean,
): Promise<Payment> {
  const key = createECDH("secp256k1");
  key.generateKeys();
  const shared = buyerMayTakeBack ? { pubkeys: [key.getPublicKey("hex", "compressed")], nSigs: 1 } : {};
  const { proofs } = await mintToken({
    mintUrl: source.mintUrl,
    amountSat: plan.faceSat,
    lock: { pubkey: source.operatorPubkey, ...shared },
  });
  return toPayment(source, plan, proofs, key.getPrivateKey("hex").padStart(64, "0"));
}

/** Two tokens that each pay for the plan and have all proofs but one in common. */
export async function makeOverlapping(source: TokenSource, plan: TokenPlan): Promise<[Payment, Payment]> {
  const { proofs } = await mintToken({
    mintUrl: source.mintUrl,
    amountSat: plan.faceSat + OWN_PART_SAT,
    lock: { pubkey: source.operatorPubkey },
    denominations: [OWN_PART_SAT, OWN_PART_SAT, ...powersOfTwo(plan.faceSat - OWN_PART_SAT)],
  });
  const [one, other, ...common] = proofs;
  if (!one || !other) throw new Error("the mint gave fewer proofs than were asked for");
  return [toPayment(source, plan, [one, ...common]), toPayment(source, plan, [other, ...common])];
}

function toPayment(source: TokenSource, plan: TokenPlan, proofs: Proof[], takeBackKey?: string): Payment {
  const payment: Payment = {
    plan,
    token: encodeToken(proofs, source.listedUrl, plan.encoding),
    coins: proofs.map(({ secret, id, amount }) => ({
      y: yOf(secret),
      keysetId: id,
      amountSat: amount.toNumber(),
    })),
    spentElsewhere: false,
    async takeBack() {
      if (takeBackKey === undefined) throw new Error("this token is locked to the operator alone");
      const wallet = new Wallet(source.mintUrl);
      await wallet.loadMint();
      // The mint may have turned to other keysets since.
      for (const { id } of proofs) await wallet.keyChain.ensureKeysetKeys(id);
      const own = encodeToken(proofs, source.mintUrl);
      payment.spentElsewhere = await wallet
        .receive(own, { privkey: takeBackKey })
        .then(() => true, unlessRefused(false));
    },
  };
  return payment;
}

function powersOfTwo(amount: number): number[] {
  return Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter(
    (part) => Math.floor(amount / part) % 2 === 1,
  );
}
