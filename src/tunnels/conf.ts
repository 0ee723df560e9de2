import { type Bought, describePrice, type Price } from "../protocol/price.ts";
import { alone, type WithIpv6 } from "./both-families.ts";
import { type RateStep, rateSteps, ratesInWords } from "./rate-steps.ts";
import type { Session } from "./session-row.ts";
import { bytesLeft, unlimited } from "./terms.ts";

/** What of the server stands in every buyer's .conf. */
export interface ServerEnd {
  pubkey: string;
  coordinate: string;
  serverPublicKey: string;
  endpoint: string;
  dns: readonly string[];
  mtu: number | undefined;
  /** Of tunnels whose tier has no rate of its own. */
  rateMbit: number | null;
  /** All addresses of a tunnel that has this one. */
  inBoth: WithIpv6;
}

export interface Purchased {
  price: Price;
  method: string;
  /** Where whoever has the preimage gets the .conf as it is by then (Lightning). */
  claimUrl?: string | undefined;
}

/** The wg-quick text for a session that runs (docs/spec.md, "The .conf"). The private key stays with the buyer. */
export function renderConf(server: ServerEnd, session: Session, purchased: Purchased, now: number): string {
  const { quotaBytes } = session.terms;
  const terms = [
    `Bought: ${isoTime(session.purchasedAt)}`,
    `Expires: ${expiry(session)}`,
    `Quota: ${quotaBytes === null ? "none" : `${bytesLeft(session.terms)} bytes left`}`,
    ...rateLines(rateSteps(session.terms, now, server.rateMbit)),
  ];
  return render(server, session.address, head(server, terms, purchased));
}

/** The text that is sealed into an invoice's answer: it is not paid yet, so it names what is bought and no end. */
export function renderUnpaidConf(
  server: ServerEnd,
  address: string,
  bought: Bought,
  purchased: Purchased,
): string {
  const what = bought.seconds > 0 ? `${bought.seconds} seconds` : `${bought.bytes} bytes`;
  const rateMbit = bought.rateMbit ?? server.rateMbit;
  const terms = [
    `Bought: ${what}, from the moment the tunnel is up`,
    ...rateLines([{ rateMbit, until: null, untilBytesLeft: null }]),
  ];
  return render(server, address, head(server, terms, purchased));
}

/** The least that a tunnel needs, and where the rest is told; for where there is no room for more. */
export function renderBareConf(server: ServerEnd, address: string, claimUrl: string): string {
  return render(server, address, [claimLine(claimUrl)]);
}

function head(
  server: ServerEnd,
  terms: readonly string[],
  { price, method, claimUrl }: Purchased,
): readonly string[] {
  return [
    "WireGuard tunnel bought over europa-protocol",
    `Operator: ${server.pubkey}`,
    `Listing: ${server.coordinate}`,
    ...terms,
    `Tier: ${describePrice(price)}`,
    `Method: ${method}`,
    ...(claimUrl === undefined ? [] : [claimLine(claimUrl)]),
    "The private key is your own: the operator never sees it. Put it in the line below.",
  ];
}

function rateLines(steps: readonly RateStep[]): string[] {
  const words = ratesInWords(steps, isoTime, (bytes) => `${bytes} bytes`);
  return words === undefined ? [] : [`Rate: ${words}`];
}

function claimLine(url: string): string {
  return `claim: ${url}`;
}

function render(server: ServerEnd, address: string, header: readonly string[]): string {
  const lines = [
    ...header.map((line) => `# ${plain(line)}`),
    "",
    "[Interface]",
    "PrivateKey = <PASTE YOUR OWN PRIVATE KEY HERE>",
    `Address = ${server.inBoth(address).map(alone).join(", ")}`,
    ...(server.dns.length === 0 ? [] : [`DNS = ${server.dns.join(", ")}`]),
    ...(server.mtu === undefined ? [] : [`MTU = ${server.mtu}`]),
    "",
    "[Peer]",
    `PublicKey = ${server.serverPublicKey}`,
    `Endpoint = ${server.endpoint}`,
    "AllowedIPs = 0.0.0.0/0, ::/0",
    "PersistentKeepalive = 25",
    "",
  ];
  if (lines.some((line) => line !== oneLine(line))) {
    throw new Error("a line of the .conf would hold a control character");
  }
  return lines.join("\n");
}

function expiry({ expiresAt, terms }: Session): string {
  if (expiresAt !== null) return isoTime(expiresAt);
  return unlimited(terms) ? "never" : "when the data is used up";
}

/** A `#` line only tells: what a page that shows it would refuse is left out (rule 28), rather than a paid .conf lost. */
function plain(text: string): string {
  return oneLine(text).replace(/[<>\p{Cf}\p{Cs}]/gu, " ");
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, " ");
}

/** The end of year 9999, beyond which ISO 8601 and `Date` have their own ideas. */
const LAST_TOLD = 253_402_300_799;

function isoTime(unixSeconds: number): string {
  return new Date(Math.min(unixSeconds, LAST_TOLD) * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}
