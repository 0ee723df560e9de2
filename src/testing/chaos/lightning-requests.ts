import { listingCoordinate } from "../../protocol/listing.ts";
import { buildPurchaseComment } from "../../protocol/purchase-comment.ts";
import type { VerifyAnswer } from "../../sales/lightning/lnurl-request.ts";
import type { Answer, Buyer } from "../buyer.ts";
import type { Operator } from "../operator.ts";
import { requestFromWallet, type WalletInvoice, WalletRefused } from "../wallet.ts";
import { createClientAddresses } from "./client-addresses.ts";
import type { InvoicePlan } from "./plan-invoices.ts";
import { TIERS } from "./tiers.ts";

/** What was answered to a wallet. */
export type InvoiceAnswer =
  | { kind: "invoice"; invoice: WalletInvoice }
  | { kind: "refused"; status: number; reason: string }
  /** An answer that no wallet takes. */
  | { kind: "unusable"; why: string };

/** What buyers over Lightning ask the daemon. Each answers undefined when nobody was there, or the connection broke. */
export interface LightningRequests {
  /** /lnurlp and its callback, by a wallet that checks the invoice's amount and hash. */
  invoice(buyer: Buyer, plan: InvoicePlan): Promise<InvoiceAnswer | undefined>;
  /** The `.conf`, for whoever has the preimage. */
  claim(paymentHash: string, preimage: string): Promise<Answer | undefined>;
  /** LUD-21. */
  verify(paymentHash: string): Promise<VerifyAnswer | undefined>;
}

export function createLightningRequests(operator: Operator): LightningRequests {
  const clientAddress = createClientAddresses();

  function commentOf({ comment, tier }: InvoicePlan, { wireguard }: Buyer): string {
    if (comment === "key") return wireguard.publicKey;
    return buildPurchaseComment({
      listing: listingCoordinate(operator.pubkey, operator.dTag),
      price: { ...tier, currency: "sat" },
      protocol: "wireguard",
      clientPubkey: wireguard.publicKey,
    });
  }

  return {
    async invoice(buyer, plan) {
      const payUrl = `${operator.url}/lnurlp?p=${TIERS.indexOf(plan.tier)}`;
      try {
        const comment = commentOf(plan, buyer);
        const invoice = await requestFromWallet(payUrl, plan.amountSat, comment, clientAddress());
        return { kind: "invoice", invoice };
      } catch (error) {
        if (error instanceof WalletRefused) return { kind: "refused", ...pick(error) };
        return isUnheard(error) ? undefined : { kind: "unusable", why: String(error) };
      }
    },
    async claim(paymentHash, preimage) {
      return unlessUnheard(async () => {
        const response = await fetch(`${operator.url}/lnurlp/config/${paymentHash}`, {
          headers: { authorization: `Preimage ${preimage}`, ...clientAddress() },
        });
        const text = await response.text();
        const { status, headers } = response;
        return { status, headers, text, body: JSON.parse(text) as Answer["body"] };
      });
    },
    verify: (paymentHash) =>
      unlessUnheard(async () => {
        const url = `${operator.url}/lnurlp/verify/${paymentHash}`;
        const response = await fetch(url, { headers: clientAddress() });
        return (await response.json()) as VerifyAnswer;
      }),
  };
}

function pick({ status, reason }: WalletRefused): { status: number; reason: string } {
  return { status, reason };
}

async function unlessUnheard<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isUnheard(error)) return undefined;
    throw error;
  }
}

/** What fetch throws, be it that nobody listens or that an answer ends in the middle. */
function isUnheard(error: unknown): boolean {
  return error instanceof TypeError;
}
