import { createHash } from "node:crypto";
import { Refusal } from "../../protocol/refusal.ts";
import { isPaid } from "../sale.ts";
import type { Settlement } from "../settle.ts";
import type { TunnelAnswer } from "../tunnel-answer.ts";
import { unlessUnwritable } from "../unless-unwritable.ts";
import { claimUrl } from "./claim-urls.ts";
import type { BookedInvoice, InvoiceStore } from "./invoice-store.ts";
import type { LnurlDesk, VerifyAnswer } from "./lnurl-request.ts";
import type { Payments } from "./payments.ts";

interface InvoiceClaimsParts {
  publicHost: string;
  store: InvoiceStore;
  payments: Payments;
  settlement: Settlement;
  tunnel: TunnelAnswer;
  /** How long a buyer who has paid waits for the grant. */
  answerWithinMs: number;
}

/** What a buyer asks about an invoice that he has: whether it is paid, and for his tunnel. */
export function createInvoiceClaims(parts: InvoiceClaimsParts): Pick<LnurlDesk, "verify" | "config"> {
  const { store, payments, settlement, tunnel } = parts;

  /** The invoice as it stands once the node was asked, if it was still unpaid. */
  async function find(paymentHash: string): Promise<BookedInvoice> {
    const invoice = handedOut(paymentHash);
    if (isPaid(invoice.sale)) return invoice;
    await payments.ask({ saleId: invoice.sale.saleId, paymentHash });
    return handedOut(paymentHash);
  }

  function handedOut(paymentHash: string): BookedInvoice {
    const invoice = store.find(paymentHash);
    if (invoice && invoice.sale.state !== "invoicing") return invoice;
    throw new Refusal("not-found", "This operator knows no such invoice, or it lapsed long ago.");
  }

  async function verify(paymentHash: string): Promise<VerifyAnswer> {
    const { sale, preimage, bolt11 } = await find(paymentHash);
    const settled = isPaid(sale);
    return { status: "OK", settled, preimage: settled ? preimage : null, pr: bolt11 ?? "" };
  }

  /** Only a payer learns the preimage, so it is his ticket. */
  async function config(paymentHash: string, preimage: string) {
    handedOut(paymentHash);
    if (createHash("sha256").update(Buffer.from(preimage, "hex")).digest("hex") !== paymentHash) {
      throw new Refusal("bad-request", "The preimage is not that of this invoice.", {
        inAuthorization: true,
      });
    }
    const { saleId, state } = (await find(paymentHash)).sale;
    if (state === "paid" || state === "owed") {
      settlement.nudge(saleId);
      await settlement.settled(saleId, parts.answerWithinMs);
    }
    const { sale } = handedOut(paymentHash);
    if (!isPaid(sale)) throw new Refusal("payment-required", "This invoice is not paid yet.");
    if (sale.state !== "granted") throw notUpYet();
    return tunnel.render(sale, claimUrl(parts.publicHost, paymentHash));
  }

  return {
    verify: (paymentHash) => verify(paymentHash).catch(unlessUnwritable),
    config: (paymentHash, preimage) => config(paymentHash, preimage).catch(unlessUnwritable),
  };
}

function notUpYet(): Refusal {
  return new Refusal(
    "tunnel-unavailable",
    "the payment is in, the tunnel is not up yet; no time is lost meanwhile, ask again",
    { retryAfterSeconds: 5 },
  );
}
