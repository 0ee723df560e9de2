import { createHash, randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { type FetcGetArgs, requestInvoice, requestPayServiceParams, utils } from "lnurl-pay";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildApp } from "../http/app.ts";
import type { InfoDocument } from "../http/info-document.ts";
import { encodeInvoice } from "../lightning/bolt11.ts";
import type { InvoiceRequest, LnurlDesk } from "../sales/lightning/lnurl-request.ts";
import {
  buildPayRequest,
  chooseTier,
  descriptionHash,
  encodeLnurl,
  lightningUri,
  payRequestUrl,
  type Tier,
} from "./lnurl.ts";
import type { Price } from "./price.ts";
import { buildPurchaseComment, parsePurchaseComment } from "./purchase-comment.ts";
import { Refusal } from "./refusal.ts";
import { configViewerUrl, readConfigViewerUrl, sealSuccessAction } from "./success-action.ts";

/** The wallet's half is `lnurl-pay`, which knows LUD-01, 06, 09, 10 and 12 and nothing of us. */

const HOST = "vpn.example.com";
const day: Price = { amount: 1000, currency: "sat", unit: "day" };
const hour: Price = { amount: 100, currency: "sat", unit: "hour" };
const offer = {
  publicHost: HOST,
  operatorPubkey: "ab".repeat(32),
  dTag: "vpn-1",
  min: undefined,
  max: { amount: 1, unit: "week" },
} as const;
/** Has both characters of base64 that mean something else in a URL. */
const clientKey = `${"+/".repeat(21)}A=`;
const CONF = "[Interface]\nAddress = 10.66.42.7/32\n";

let app: FastifyInstance;
let preimage: string;
let asked: InvoiceRequest[];
/** What the desk does wrong. */
let invoiced: { amountMsat?: number; tier?: Tier };

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

function tierOf(p: string | undefined): Tier {
  const chosen = chooseTier(p, [day, hour]);
  if (!chosen.ok) throw new Refusal(chosen.reason, chosen.message);
  return chosen.tier;
}

const desk: LnurlDesk = {
  payRequest: (p) => buildPayRequest({ ...offer, tier: tierOf(p) }),
  async invoice(request) {
    asked.push(request);
    const tier = invoiced.tier ?? tierOf(request.tier);
    const paymentHash = sha256(Buffer.from(preimage, "hex")).toString("hex");
    const pr = encodeInvoice({
      paymentHash,
      amountMsat: invoiced.amountMsat ?? Number(request.amount),
      descriptionHash: descriptionHash(buildPayRequest({ ...offer, tier }).metadata),
      expirySeconds: 600,
      timestamp: 1_700_000_000,
      privateKey: Buffer.alloc(32, 7),
    });
    const plaintext = configViewerUrl(HOST, CONF, preimage);
    const successAction = sealSuccessAction({ preimage, cipher: "aes-256-cbc", plaintext });
    return { pr, routes: [], successAction, verify: `https://${HOST}/lnurlp/verify/${paymentHash}` };
  },
  verify: () => Promise.reject(new Error("verify was not expected")),
  config: () => Promise.reject(new Error("config was not expected")),
};

beforeEach(async () => {
  asked = [];
  invoiced = {};
  preimage = randomBytes(32).toString("hex");
  // The wallet's HTTP library would ask a proxy of the machine for loopback.
  for (const name of ["no_proxy", "NO_PROXY"]) vi.stubEnv(name, "127.0.0.1");
  app = buildApp({
    info: {} as InfoDocument,
    health: () => {
      throw new Error("health was not expected");
    },
    purchase: () => Promise.reject(new Error("purchase was not expected")),
    lnurl: desk,
    viewer: undefined,
    trustedProxies: [],
    monotonicMs: () => performance.now(),
    logger: { error: (report) => expect(report).toBeUndefined() },
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
});

afterEach(async () => {
  await app.close();
  vi.unstubAllEnvs();
});

/** The wallet's own way over HTTP; all that stands in is DNS and TLS. */
function fetchGet({ url, params }: FetcGetArgs) {
  const { port } = app.server.address() as AddressInfo;
  const local = url.replace(`https://${HOST}`, `http://127.0.0.1:${port}`);
  return utils.getJson({ url: local, ...(params === undefined ? {} : { params }) });
}

const hourUrl = payRequestUrl(HOST, { index: 1, price: hour });

describe("a wallet that knows LNURL-pay and nothing of us", () => {
  it.each([
    ["clicked", lightningUri(hourUrl)],
    ["pasted", encodeLnurl(hourUrl)],
    ["scanned", encodeLnurl(hourUrl).toUpperCase()],
  ])("finds the tier behind an LNURL that is %s", async (_how, lnurl) => {
    expect(utils.decodeUrlOrAddress(lnurl)).toBe(hourUrl);
    expect(await requestPayServiceParams({ lnUrlOrAddress: lnurl, fetchGet })).toMatchObject({
      min: 100,
      max: 16_800,
      fixed: false,
      domain: HOST,
      description: "VPN access: 100 sat/hour",
      identifier: `${"ab".repeat(32)}:vpn-1`,
      commentAllowed: 1024,
    });
  });

  it.each([
    ["a bare key", clientKey],
    [
      "the purchase JSON",
      buildPurchaseComment({
        listing: `30402:${"ab".repeat(32)}:vpn-1`,
        price: hour,
        protocol: "wireguard",
        clientPubkey: clientKey,
      }),
    ],
  ])("finds invoice, amount and hash right, and opens what it paid for, with %s", async (_what, comment) => {
    const answer = await requestInvoice({
      lnUrlOrAddress: encodeLnurl(hourUrl),
      tokens: utils.toSats(250),
      comment,
      fetchGet,
      validateInvoice: true,
    });
    expect(answer).toMatchObject({ hasValidAmount: true, hasValidDescriptionHash: true });
    expect(asked).toMatchObject([{ tier: "1", amount: "250000", comment }]);
    expect(parsePurchaseComment(asked[0]?.comment)).toMatchObject({
      ok: true,
      comment: { clientPubkey: clientKey },
    });
    expect(answer.validatePreimage(preimage)).toBe(true);
    expect(answer.successAction).toMatchObject({ tag: "aes", description: "Your VPN configuration" });
    const shown = answer.successAction?.decipher(preimage) ?? "";
    expect(shown).toMatch(`https://${HOST}/config-viewer#`);
    expect(readConfigViewerUrl(shown)).toEqual({ conf: CONF, preimage });
  });

  it("would notice another amount, and another tier's invoice", async () => {
    const order = {
      lnUrlOrAddress: encodeLnurl(hourUrl),
      tokens: utils.toSats(250),
      fetchGet,
      validateInvoice: true,
    };
    invoiced = { amountMsat: 251_000 };
    await expect(requestInvoice(order)).rejects.toThrow(/invoice amount/);
    invoiced = { tier: { index: 0, price: day } };
    await expect(requestInvoice(order)).rejects.toThrow(/description hash/);
  });

  it("buys the first tier where the listing's URL names none", async () => {
    const lnUrlOrAddress = encodeLnurl(`https://${HOST}/lnurlp`);
    const tokens = utils.toSats(1000);
    const answer = await requestInvoice({ lnUrlOrAddress, tokens, fetchGet, validateInvoice: true });
    expect(answer.params.description).toBe("VPN access: 1000 sat/day");
    expect(asked).toMatchObject([{ tier: "0", amount: "1000000", comment: undefined }]);
  });
});
