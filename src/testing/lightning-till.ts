import type { Logger } from "pino";
import { createInvoiceClaims } from "../sales/lightning/invoice-claims.ts";
import { createInvoiceDesk } from "../sales/lightning/invoice-desk.ts";
import type { InvoiceStore } from "../sales/lightning/invoice-store.ts";
import type { LnurlDesk } from "../sales/lightning/lnurl-request.ts";
import { createNodeWatch } from "../sales/lightning/node-watch.ts";
import { createPayments, defaultPaymentTimes } from "../sales/lightning/payments.ts";
import type { LightningNode } from "../sales/lightning/ports.ts";
import { createSealConf } from "../sales/lightning/sealed-conf.ts";
import { createUnaskedLapse } from "../sales/lightning/unasked.ts";
import type { Offer } from "../sales/offer.ts";
import type { ReservationStore } from "../sales/reservation-store.ts";
import type { Settlement } from "../sales/settle.ts";
import type { TunnelAnswer } from "../sales/tunnel-answer.ts";
import type { Vacancy } from "../sales/vacancy.ts";
import type { ServerEnd } from "../tunnels/conf.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { SessionStore } from "../tunnels/session-store.ts";

export const INVOICE_SECONDS = 600;
export const GRACE_SECONDS = defaultPaymentTimes.graceSeconds;

interface LightningTillParts {
  node: LightningNode;
  store: InvoiceStore;
  offer: Offer;
  operatorPubkey: string;
  server: ServerEnd;
  successAction: "lud10" | "v1";
  sessions: SessionStore;
  reservations: ReservationStore;
  vacancy: Vacancy;
  keeper: Keeper;
  settlement: Settlement;
  tunnel: TunnelAnswer;
  claimSecret: Buffer;
  now: () => number;
  nowMs: () => number;
  logger: Logger;
  answerWithinMs: number;
}

/** All that sells over Lightning, as the daemon wires it; streams that break are opened again at once. */
export async function openLightningTill(parts: LightningTillParts) {
  const { node, store, offer, settlement, now, nowMs, logger } = parts;
  const watch = createNodeWatch(node, logger);
  await watch.refresh();
  const payments = createPayments({
    store,
    node,
    nodeName: "fake",
    advance: settlement.advance,
    now,
    nowMs,
    logger,
    times: { ...defaultPaymentTimes, streamPauseMs: 1, longestStreamPauseMs: 4 },
    onChange: () => undefined,
  });
  const lnurl: LnurlDesk = {
    ...createInvoiceDesk({
      ...parts,
      invoiceSeconds: INVOICE_SECONDS,
      watch,
      sealConf: createSealConf(parts.server, offer.publicHost),
    }),
    ...createInvoiceClaims({ ...parts, publicHost: offer.publicHost, payments }),
  };
  return {
    watch,
    payments,
    lnurl,
    following: new AbortController(),
    lapseUnasked: createUnaskedLapse({ store, graceSeconds: GRACE_SECONDS, now }),
  };
}
