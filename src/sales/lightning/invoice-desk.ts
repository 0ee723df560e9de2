import { createHash, randomBytes } from "node:crypto";
import { boundary } from "../../boundary.ts";
import { buildPayRequest, chooseTier, descriptionHash, type Tier } from "../../protocol/lnurl.ts";
import type { Bought, Price } from "../../protocol/price.ts";
import { type Cipher, checkPurchaseComment, parsePurchaseComment } from "../../protocol/purchase-comment.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { configViewerUrl, sealSuccessAction } from "../../protocol/success-action.ts";
import { renderUnpaidConf, type ServerEnd } from "../../tunnels/conf.ts";
import type { Keeper } from "../../tunnels/keeper.ts";
import type { SessionStore } from "../../tunnels/session-store.ts";
import { keyHashOf } from "../claimant.ts";
import { checkQuantity, type Offer, PROTOCOL } from "../offer.ts";
import type { ReservationStore } from "../reservation-store.ts";
import { unlessUnwritable } from "../unless-unwritable.ts";
import { noAddress, type Vacancy } from "../vacancy.ts";
import { claimUrl, verifyUrl } from "./claim-urls.ts";
import { createClientReservations } from "./client-reservations.ts";
import type { BookedInvoice, InvoiceStore } from "./invoice-store.ts";
import type { InvoiceAnswer, InvoiceRequest, LnurlDesk } from "./lnurl-request.ts";
import type { NodeWatch } from "./node-watch.ts";
import { type LightningNode, NodeError } from "./ports.ts";

/** Invoices that may be open at the node, all of them and those of one WireGuard key. */
const MOST_OPEN = 1000;
const MOST_OPEN_OF_KEY = 5;

interface InvoiceDeskParts {
  offer: Offer;
  operatorPubkey: string;
  server: ServerEnd;
  /** The form of the success action where the order does not name one. */
  successAction: "lud10" | "v1";
  invoiceSeconds: number;
  node: LightningNode;
  watch: NodeWatch;
  store: InvoiceStore;
  sessions: SessionStore;
  reservations: ReservationStore;
  vacancy: Vacancy;
  keeper: Keeper;
  claimSecret: Buffer;
  now: () => number;
}

interface Order {
  price: Price;
  quantity: Bought;
  amountMsat: number;
  clientKey: string;
  keyHash: string;
  cipher: Cipher;
  descriptionHash: string;
}

/**
 * LNURL-pay up to the invoice. Everything that can refuse, refuses before there is one; and the preimage, by which the
 * invoice is found again, is in the book before the node is asked (rule 27).
 */
export function createInvoiceDesk(parts: InvoiceDeskParts): Pick<LnurlDesk, "payRequest" | "invoice"> {
  const { offer, operatorPubkey, node, store, sessions, reservations, vacancy, keeper, now } = parts;
  const clients = createClientReservations(reservations.sessionIds);

  function payRequest(tier: Tier) {
    const { publicHost, dTag, minPurchase: min, maxPurchase: max } = offer;
    return buildPayRequest({ publicHost, operatorPubkey, dTag, tier, min, max });
  }

  async function invoice(request: InvoiceRequest): Promise<InvoiceAnswer> {
    const order = readOrder(request);
    checkNode();
    vacancy.check(order.clientKey, 0);
    if (!vacancy.isRenewal(order.clientKey)) {
      request.countStranger();
      await keeper.glance();
    }
    const known = store.ofKey(order.keyHash, now() + parts.invoiceSeconds / 2);
    const same = known.find((booked) => isFor(booked, order));
    if (same) return answer(same, order);
    if (known.length >= MOST_OPEN_OF_KEY || store.countPayable(now()) >= MOST_OPEN) throw tooManyOpen();
    return answer(await make(order, request.client), order);
  }

  function readOrder({ tier: p, amount, comment }: InvoiceRequest): Order {
    const tier = tierOf(p);
    const amountMsat = readAmount(amount);
    const parsed = parsePurchaseComment(comment);
    if (!parsed.ok) throw new Refusal(parsed.reason, parsed.message);
    const checked = checkPurchaseComment(parsed.comment, {
      coordinate: offer.coordinate,
      prices: offer.prices(),
      defaultPrice: tier.price,
      protocols: offer.protocols.filter((protocol) => protocol === PROTOCOL),
      serverKey: offer.serverPublicKey,
    });
    if (!checked.ok) throw new Refusal(checked.reason, checked.message);
    const { price, clientPubkey: clientKey } = checked;
    if (price.currency.toLowerCase() !== "sat") {
      throw new Refusal("no-sat-tier", "That tier is not priced in sat, so Lightning does not buy it.");
    }
    return {
      price,
      quantity: checkQuantity(amountMsat / 1000, price, offer),
      amountMsat,
      clientKey,
      keyHash: keyHashOf(parts.claimSecret, clientKey),
      cipher: cipherFor(parsed.comment),
      descriptionHash: descriptionHash(payRequest(tier).metadata),
    };
  }

  function tierOf(p: string | undefined): Tier {
    const chosen = chooseTier(p, offer.tiers);
    if (!chosen.ok) throw new Refusal(chosen.reason, chosen.message);
    return chosen.tier;
  }

  function readAmount(text: string | undefined): number {
    const amountMsat = /^[1-9]\d{0,14}$/.test(text ?? "") ? Number(text) : undefined;
    if (amountMsat === undefined) {
      throw new Refusal("bad-request", "amount is missing or no number: send millisatoshi, such as 1000000.");
    }
    if (amountMsat % node.stepMsat !== 0) {
      throw new Refusal(
        "amount-mismatch",
        "this operator's node takes whole sat only: send a multiple of 1000 msat.",
      );
    }
    return amountMsat;
  }

  function cipherFor(comment: { form: "key" } | { form: "order"; cipher?: Cipher | undefined }): Cipher {
    if (comment.form === "key") return "aes-256-cbc";
    return comment.cipher ?? (parts.successAction === "v1" ? "aes-256-gcm" : "aes-256-cbc");
  }

  /** The book first, then the node, then the book again, and only then the buyer. */
  async function make(order: Order, client: string): Promise<BookedInvoice> {
    const { price, quantity, clientKey, keyHash, amountMsat, descriptionHash } = order;
    const isStranger = !vacancy.isRenewal(clientKey);
    if (isStranger) clients.check(client, parts.invoiceSeconds);
    vacancy.check(clientKey, 0);
    const preimage = randomBytes(32);
    const openedAt = now();
    const saleId = store.open(
      {
        price,
        bought: quantity,
        dTag: offer.dTag,
        keyHash,
        clientKey,
        amountMsat,
        descriptionHash,
        preimage: preimage.toString("hex"),
        paymentHash: sha256(preimage),
        expiresAt: openedAt + parts.invoiceSeconds,
      },
      openedAt,
    );
    if (saleId === undefined) throw noAddress();
    boundary("invoice-opened");
    const { sessionId } = store.mustFind(saleId).sale;
    if (isStranger && sessionId !== null) clients.note(sessionId, client);
    const made = await node
      .makeInvoice({
        reference: saleId,
        preimage: preimage.toString("hex"),
        amountMsat,
        descriptionHash,
        expirySeconds: parts.invoiceSeconds,
      })
      .catch((error: unknown) => {
        // Nobody has the invoice, if there is one.
        store.lapse(saleId, now());
        throw error instanceof NodeError ? nodeDown(error) : error;
      });
    boundary("invoice-unwritten");
    store.invoiced(saleId, made);
    boundary("invoice-written");
    return store.mustFind(saleId);
  }

  function answer({ sale, paymentHash, preimage, bolt11 }: BookedInvoice, order: Order): InvoiceAnswer {
    const session = sale.sessionId === null ? undefined : sessions.find(sale.sessionId);
    if (!session) throw noAddress();
    if (preimage === null || bolt11 === null) throw new Error("an invoice was answered before it was made");
    const { publicHost } = offer;
    const conf = renderUnpaidConf(parts.server, session.address, order.quantity, {
      price: order.price,
      method: "lightning",
      claimUrl: claimUrl(publicHost, paymentHash),
    });
    const { cipher } = order;
    const plaintext = cipher === "aes-256-gcm" ? conf : configViewerUrl(publicHost, conf, preimage);
    return {
      pr: bolt11,
      routes: [],
      successAction: sealSuccessAction({ preimage, cipher, plaintext }),
      verify: verifyUrl(publicHost, paymentHash),
    };
  }

  function checkNode(): void {
    if (parts.watch.trouble() !== undefined) throw nodeDown();
  }

  return {
    payRequest: (p) => payRequest(tierOf(p)),
    invoice: (request) => invoice(request).catch(unlessUnwritable),
  };
}

/** A buyer who asks again, and has not paid yet, gets the invoice that he has. */
function isFor({ sale, requestedMsat, descriptionHash }: BookedInvoice, order: Order): boolean {
  const { price } = sale;
  return (
    requestedMsat === order.amountMsat &&
    descriptionHash === order.descriptionHash &&
    price.amount === order.price.amount &&
    price.unit === order.price.unit
  );
}

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function nodeDown(cause?: NodeError): Refusal {
  return new Refusal(
    "tunnel-unavailable",
    "the operator's Lightning node does not answer now; nothing was charged, try again soon",
    { retryAfterSeconds: 30, cause },
  );
}

function tooManyOpen(): Refusal {
  return new Refusal("rate-limited", "too many invoices are open; pay one of yours, or try again soon", {
    retryAfterSeconds: 60,
  });
}
