import { setTimeout as sleep } from "node:timers/promises";
import { type FetcGetArgs, requestInvoice, utils } from "lnurl-pay";
import { encodeLnurl } from "../protocol/lnurl.ts";
import type { VerifyAnswer } from "../sales/lightning/lnurl-request.ts";

/** A Lightning wallet, written by somebody else (`lnurl-pay`): LUD-01, 06, 10, 12. */

export interface WalletInvoice {
  bolt11: string;
  amountSat: number;
  paymentHash: string;
  /** What the success action holds, once the preimage is known. */
  decipher(preimage: string): string | undefined;
  /** LUD-21: the preimage once the invoice is settled. */
  settled(): Promise<string | undefined>;
  waitUntilSettled(timeoutMs?: number): Promise<string>;
}

/** Asks for an invoice as the tier's LNURL says; refuses one whose amount or hash is wrong. `comment`: LUD-12. */
export async function requestFromWallet(
  payUrl: string,
  amountSat: number,
  comment: string,
  headers: Record<string, string> = {},
): Promise<WalletInvoice> {
  const answer = await requestInvoice({
    lnUrlOrAddress: encodeLnurl(payUrl.replace("http://", "https://")),
    tokens: utils.toSats(amountSat),
    comment,
    fetchGet: (asked) => fetchGet(asked, headers),
    validateInvoice: true,
  });
  const { invoice: bolt11, successAction } = answer;
  const paymentHash = utils.getHashFromInvoice(bolt11);
  if (!paymentHash) throw new Error("the invoice has no payment hash");
  const verifyUrl = new URL(`/lnurlp/verify/${paymentHash}`, payUrl);

  async function settled(): Promise<string | undefined> {
    const { settled: isSettled, preimage } = (await (await fetch(verifyUrl)).json()) as VerifyAnswer;
    return isSettled && preimage !== null && answer.validatePreimage(preimage) ? preimage : undefined;
  }

  return {
    bolt11,
    amountSat,
    paymentHash,
    decipher: (preimage) => successAction?.decipher(preimage) ?? undefined,
    settled,
    async waitUntilSettled(timeoutMs = 15_000) {
      const deadline = Date.now() + timeoutMs;
      while (Date.now() < deadline) {
        const preimage = await settled();
        if (preimage !== undefined) return preimage;
        await sleep(100);
      }
      throw new Error(`the invoice was not settled within ${timeoutMs} ms`);
    },
  };
}

/** LNURL is https alone; on loopback nobody stands in front of the daemon to add it. */
async function fetchGet(
  { url, params }: FetcGetArgs,
  headers: Record<string, string>,
): Promise<Record<string, unknown>> {
  const local = new URL(url.replace("https://", "http://"));
  for (const [name, value] of Object.entries(params ?? {})) local.searchParams.set(name, String(value));
  const response = await fetch(local, { headers });
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new WalletRefused(response.status, String(body.reason), String(body.message));
  return body;
}

export class WalletRefused extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = "WalletRefused";
  }
}
