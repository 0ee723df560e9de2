import type { Config } from "../config/types.ts";
import { createInvoiceClaims } from "../sales/lightning/invoice-claims.ts";
import { createInvoiceDesk } from "../sales/lightning/invoice-desk.ts";
import type { LnurlDesk } from "../sales/lightning/lnurl-request.ts";
import { createSealConf, type SealConf } from "../sales/lightning/sealed-conf.ts";
import type { Offer } from "../sales/offer.ts";
import type { ReservationStore } from "../sales/reservation-store.ts";
import type { Settlement } from "../sales/settle.ts";
import type { TunnelAnswer } from "../sales/tunnel-answer.ts";
import type { Vacancy } from "../sales/vacancy.ts";
import type { ServerEnd } from "../tunnels/conf.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { SessionStore } from "../tunnels/session-store.ts";
import type { Lightning } from "./lightning.ts";
import { StartRefused } from "./start-refused.ts";

interface LnurlDeskParts {
  lightning: Lightning;
  config: Config;
  offer: Offer;
  server: ServerEnd;
  sessions: SessionStore;
  reservations: ReservationStore;
  vacancy: Vacancy;
  keeper: Keeper;
  settlement: Settlement;
  tunnel: TunnelAnswer;
  claimSecret: Buffer;
  now: () => number;
  answerWithinMs: number;
}

/** Everything below /lnurlp. */
export function createLnurlDesk({ lightning, config, ...parts }: LnurlDeskParts): LnurlDesk {
  const { node, watch, store, payments } = lightning;
  const { successAction, invoiceSeconds } = lightning.config;
  const { pubkey: operatorPubkey } = config.nostr;
  const { publicHost } = parts.offer;
  const sealConf = sealConfOf(parts.server, publicHost);
  const selling = { operatorPubkey, successAction, invoiceSeconds, sealConf, node, watch, store };
  return {
    ...createInvoiceDesk({ ...parts, ...selling }),
    ...createInvoiceClaims({ ...parts, publicHost, store, payments }),
  };
}

/** Throws `StartRefused` when no invoice could be answered: found by a payer it would be too late. */
export function sealConfOf(server: ServerEnd, publicHost: string): SealConf {
  try {
    return createSealConf(server, publicHost);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new StartRefused(
      "wireguard.dns: is too long for an invoice's answer, which has 4 kB for a config (LUD-10); name fewer servers",
      78,
    );
  }
}
