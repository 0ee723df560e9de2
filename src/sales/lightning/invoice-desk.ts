import { createHash, randomBytes } from "node:crypto";
import { boundary } from "../../boundary.ts";
import { Refusal } from "../../protocol/refusal.ts";
import { createSemaphore } from "../../semaphore.ts";
import type { Keeper } from "../../tunnels/keeper.ts";
import type { SessionStore } from "../../tunnels/session-store.ts";
import type { Offer } from "../offer.ts";
import type { ReservationStore } from "../reservation-store.ts";
import { unlessUnwritable } from "../unless-unwritable.ts";
import { noAddress, type Vacancy } from "../vacancy.ts";
import { verifyUrl } from "./claim-urls.ts";
import { createClientReservations } from "./client-reservations.ts";
import { createOrderReader, type Order } from "./invoice-order.ts";
import type { BookedInvoice, InvoiceStore } from "./invoice-store.ts";
import type { InvoiceAnswer, InvoiceRequest, LnurlDesk } from "./lnurl-request.ts";
import type { NodeWatch } from "./node-watch.ts";
import { type LightningNode, NodeError } from "./ports.ts";
import type { SealConf } from "./sealed-conf.ts";

/** Invoices that can be paid, all of them and those of one WireGuard key. */
const MOST_OPEN = 1000;
const MOST_OPEN_OF_KEY = 5;
/** Beside them, those that are over and of which the node has not said so: a node that is silent must not fill the book. */
const MOST_PAYABLE = 3000;
/** Invoices that the node is asked for at once, and that wait for that. */
const MADE_AT_ONCE = 8;
const WAITING = 32;

interface InvoiceDeskParts {
  offer: Offer;
  operatorPubkey: string;
  /** The form of the success action where the order does not name one. */
  successAction: "lud10" | "v1";
  invoiceSeconds: number;
  sealConf: SealConf;
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

/**
 * LNURL-pay up to the invoice. Everything that can refuse, refuses before there is one; and the preimage, by which the
 * invoice is found again, is in the book before the node is asked (rule 27).
 */
export function createInvoiceDesk(parts: InvoiceDeskParts): Pick<LnurlDesk, "payRequest" | "invoice"> {
  const { offer, node, sealConf, store, sessions, reservations, vacancy, keeper, now } = parts;
  const orders = createOrderReader({ ...parts, stepMsat: node.stepMsat });
  const clients = createClientReservations(() => reservations.sessionIds(now()));
  const places = createSemaphore(MADE_AT_ONCE, WAITING);

  async function invoice(request: InvoiceRequest): Promise<InvoiceAnswer> {
    const order = orders.read(request);
    checkNode();
    const known = findSame(order);
    if (known) return answer(known, order);
    if (!vacancy.isCustomer(order.clientKey)) request.countStranger();
    checkRoom(order, request.client);
    if (!vacancy.isRenewal(order.clientKey)) await keeper.glance();
    const made = places.tryRun(() => make(order, request.client));
    if (!made) throw tooManyOpen();
    return made;
  }

  function checkNode(): void {
    if (parts.watch.trouble() !== undefined) throw nodeDown();
  }

  /** A buyer who asks again, and has not paid yet, gets the invoice that he has while much of its time is left. */
  function findSame(order: Order): BookedInvoice | undefined {
    const halfTime = now() + parts.invoiceSeconds / 2;
    return store.ofKey(order.keyHash, halfTime).find((booked) => isFor(booked, order));
  }

  function checkRoom({ keyHash, clientKey }: Order, client: string): void {
    if (store.ofKey(keyHash, now()).length >= MOST_OPEN_OF_KEY) throw tooManyOpen();
    if (!vacancy.isCustomer(clientKey)) {
      if (store.countPayable(now()) >= MOST_OPEN || store.countPayable(0) >= MOST_PAYABLE)
        throw tooManyOpen();
    }
    if (!vacancy.isRenewal(clientKey)) clients.check(client, parts.invoiceSeconds);
    vacancy.check(clientKey, 0);
  }

  /** The book first, then the node, then the book again, and only then the buyer. Room is looked for anew after a wait. */
  async function make(order: Order, client: string): Promise<InvoiceAnswer> {
    checkRoom(order, client);
    const isStranger = !vacancy.isCustomer(order.clientKey);
    const preimage = randomBytes(32);
    const saleId = open(order, preimage);
    const noteClient = () => {
      const { sessionId } = store.mustFind(saleId).sale;
      if (isStranger && sessionId !== null) clients.note(sessionId, client);
    };
    noteClient();
    const made = await node
      .makeInvoice({
        reference: saleId,
        preimage: preimage.toString("hex"),
        amountMsat: order.amountMsat,
        descriptionHash: order.descriptionHash,
        expirySeconds: parts.invoiceSeconds,
      })
      .catch((error: unknown) => {
        // Nobody has the invoice, if there is one.
        store.lapse(saleId, now());
        throw error instanceof NodeError ? nodeDown(error) : error;
      });
    boundary("invoice-unwritten");
    store.invoiced(saleId, made, now());
    boundary("invoice-written");
    const booked = store.mustFind(saleId);
    if (booked.sale.sessionId === null) {
      store.lapse(saleId, now());
      throw noAddress();
    }
    noteClient();
    // At once: after another pause the address might be somebody else's.
    return answer(booked, order);
  }

  function open(order: Order, preimage: Buffer): string {
    const { price, quantity, keyHash, clientKey, amountMsat, descriptionHash } = order;
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
    return saleId;
  }

  function answer({ sale, paymentHash, preimage, bolt11 }: BookedInvoice, order: Order): InvoiceAnswer {
    const session = sale.sessionId === null ? undefined : sessions.find(sale.sessionId);
    if (!session) throw noAddress();
    if (preimage === null || bolt11 === null) throw new Error("an invoice was answered before it was made");
    return {
      pr: bolt11,
      routes: [],
      successAction: sealConf({ ...order, address: session.address, paymentHash, preimage }),
      verify: verifyUrl(offer.publicHost, paymentHash),
    };
  }

  return {
    payRequest: orders.payRequest,
    invoice: (request) => invoice(request).catch(unlessUnwritable),
  };
}

/** It is with the buyer, holds its address, and asks for the same. */
function isFor({ sale, requestedMsat, descriptionHash }: BookedInvoice, order: Order): boolean {
  const { price, state, sessionId } = sale;
  return (
    state === "invoiced" &&
    sessionId !== null &&
    requestedMsat === order.amountMsat &&
    descriptionHash === order.descriptionHash &&
    price.amount === order.price.amount &&
    price.unit === order.price.unit &&
    price.rateMbit === order.price.rateMbit
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
