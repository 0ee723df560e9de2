import { X509Certificate } from "node:crypto";
import type { CertificateFlaw, LndFailure } from "./lnd-failure.ts";

/** What LND's `GET /v1/state` may answer. */
export const WALLET_STATES = [
  "NON_EXISTING",
  "LOCKED",
  "UNLOCKED",
  "RPC_ACTIVE",
  "SERVER_ACTIVE",
  "WAITING_TO_START",
] as const;

export type WalletState = (typeof WALLET_STATES)[number];

const NO_WALLET = "LND has no wallet yet; make one: lncli create";
const LOCKED = "LND's wallet is locked; unlock it: lncli unlock";
const STARTING = "LND is starting and takes no calls yet; wait for it, or see its log";

const STATE_TROUBLES: Record<WalletState, string | undefined> = {
  NON_EXISTING: NO_WALLET,
  LOCKED,
  UNLOCKED: STARTING,
  RPC_ACTIVE: STARTING,
  WAITING_TO_START: STARTING,
  SERVER_ACTIVE: undefined,
};

export function describeState(state: WalletState): string | undefined {
  return STATE_TROUBLES[state];
}

const RIGHT_MACAROON =
  "put LND's invoice.macaroon, in hex (xxd -ps -c 1000 invoice.macaroon), into lightning.api_token or lightning.api_token_file";

const UNREADABLE_MACAROON = `the macaroon for LND cannot be read; ${RIGHT_MACAROON}`;

/** LND's words, read from top to bottom, and what they mean for the operator. */
const MEANINGS: [said: RegExp, meaning: string][] = [
  [/wallet not created/, NO_WALLET],
  [/wallet locked/, LOCKED],
  [/process of starting|waiting to start/, STARTING],
  [/expected 1 macaroon|empty macaroon/, `LND is asked without a macaroon; ${RIGHT_MACAROON}`],
  [/encoding\/hex|unmarshal v\d|data format of binary-encoded macaroon/, UNREADABLE_MACAROON],
  [
    /permission denied/,
    `the macaroon for LND does not permit making and watching invoices; ${RIGHT_MACAROON}, or bake one: lncli bakemacaroon invoices:read invoices:write`,
  ],
  [
    /caveat .*not satisfied|macaroon has expired/,
    `the macaroon for LND has expired or is bound to another address; ${RIGHT_MACAROON}`,
  ],
  [
    /verification failed|macaroon/,
    `the macaroon for LND was made by another LND, or has been revoked; ${RIGHT_MACAROON}; it must come from the LND at lightning.base_url`,
  ],
];

/** What went wrong and how to mend it, for the operator. Without secrets, addresses, and what was asked. */
export function describeFailure(failure: LndFailure, certificate: string | undefined): string {
  switch (failure.kind) {
    case "error":
      return (
        MEANINGS.find(([said]) => said.test(failure.message))?.[1] ??
        `LND refuses: "${quotable(failure.message)}"; see its log`
      );
    case "no-such-call":
      return "what answers has no such call; take a path that is not LND's out of lightning.base_url, or run a release of LND (v0.13 or later: built with invoicesrpc)";
    case "not-reached":
      return `LND is not reached${failure.systemCode ? ` (${failure.systemCode})` : ""}; start it, or mend lightning.base_url`;
    case "certificate":
      return describeCertificate(failure.flaw, certificate);
    case "no-tls":
      return "lightning.base_url says https, and what answers there speaks no TLS; name LND's REST port (restlisten, 8080 by default), or write http:// when LND runs with no-rest-tls";
    case "wants-tls":
      return "LND wants https; write https:// in lightning.base_url, and name a copy of LND's tls.cert in lightning.cert_file";
    case "unsendable-macaroon":
      return UNREADABLE_MACAROON;
    case "late":
      return `LND did not answer within ${failure.timeoutMs} ms; see whether it is overloaded, and whether lightning.base_url is right`;
    case "not-lnd":
      return `what answers is not LND's REST interface (${failure.what}); mend lightning.base_url: LND's restlisten, port 8080 by default`;
  }
}

function describeCertificate(flaw: CertificateFlaw, certificate: string | undefined): string {
  switch (flaw) {
    case "other-name":
      return "LND's certificate does not name the host in lightning.base_url; write a name that it has, or add the host to lnd.conf (tlsextradomain, tlsextraip), remove tls.cert and tls.key, restart LND, and copy the new tls.cert to lightning.cert_file";
    case "expired":
      return "LND's certificate has expired, or a clock is wrong; remove tls.cert and tls.key, restart LND, and copy the new tls.cert to lightning.cert_file";
    case "untrusted":
      if (certificate === undefined) {
        return "LND's certificate is signed by nobody the system trusts; name a copy of LND's tls.cert in lightning.cert_file";
      }
      return isCertificate(certificate)
        ? "LND shows another certificate than the one in lightning.cert_file; copy LND's present tls.cert there"
        : "lightning.cert_file holds no certificate; copy LND's tls.cert there";
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

const QUOTE_LENGTH = 200;

/** LND repeats what it cannot read, a preimage or a macaroon as well: whatever could be bytes is left out. */
function quotable(message: string): string {
  return message
    .replace(/[^\x20-\x7e]+/g, " ")
    .replace(/[A-Za-z0-9+/=_-]{20,}/g, "…")
    .slice(0, QUOTE_LENGTH);
}
