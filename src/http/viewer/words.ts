import type { Failure, Waiting } from "./present-conf.ts";
import type { LinkFlaw } from "./read-link.ts";

/** What the page says. Nothing in it is taken from a link or an answer. */

const FLAWS: Record<LinkFlaw, string> = {
  unreadable:
    "This link is damaged: it holds no readable configuration. Copy it from your wallet again, in full.",
  "too-long": "This link is too long to come from this server.",
  "strange-character": "This link holds characters that no configuration of this server has.",
  hook: "This link holds commands that would run on your computer. It does not come from this server: do not use it.",
  "unknown-line": "This link holds settings that this server does not give out.",
  "bad-value": "This link holds a setting with a value that this server does not give out.",
  "foreign-server":
    "This link is for another server than this one, or damaged. Its configuration is not shown.",
  incomplete:
    "This link is damaged: its configuration is not complete. Copy it from your wallet again, in full.",
};

const WAITING: Record<Waiting, string> = {
  unpaid: "The server has not seen the payment yet.",
  busy: "The server cannot hand out your configuration just now.",
  silent: "The server did not answer.",
};

const FAILURES: Record<Failure, string> = {
  "no-crypto":
    "Your browser does not let this page ask the server, since it was not opened over https. Open it with https:// at the beginning.",
  "wrong-preimage": "The server says that this preimage does not belong to the payment.",
  "unknown-payment": "The server knows no payment with this preimage.",
  refused: "The server does not hand out a configuration for this payment; its time may be over.",
  unfit: "The server answered with something that is no configuration of its own. It is not shown.",
  "too-late":
    "The server had no configuration for this payment yet. Your payment is not lost: ask again later.",
};

/** What stands below, when it was sealed before the payment. */
const SEALED =
  "Below is the configuration as it was before you paid; your tunnel may have got another address since.";

export const PASTE_PREIMAGE =
  "Your link brings no configuration. With the preimage of your payment you get it here.";
export const SEALED_ONLY = `${SEALED} To get the present one, paste the preimage of your payment.`;
export const ASKING = "Asking the server for your configuration …";
export const PRESENT = "This is your configuration as it is now.";
export const NO_PREIMAGE = "This is no preimage: it has 64 characters of 0–9 and a–f.";
export const NO_PRIVATE_KEY =
  "This is no WireGuard private key: it has 44 characters and ends in “=”, as “wg genkey” prints it.";
export const COPIED = "Copied.";
export const SELECTED =
  "Your browser does not allow it; the text is selected, so that you can copy it yourself.";

export function flawInWords(flaw: LinkFlaw): string {
  return FLAWS[flaw];
}

export function waitingInWords(why: Waiting, sealedShown: boolean): string {
  return `${WAITING[why]} Asking again …${sealedShown ? ` ${SEALED}` : ""}`;
}

export function failureInWords(why: Failure, sealedShown: boolean): string {
  return `${FAILURES[why]}${sealedShown ? ` ${SEALED}` : ""}`;
}
