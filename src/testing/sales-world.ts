import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { pino } from "pino";
import { createDurability } from "../db/durability.ts";
import { createFacts } from "../db/facts.ts";
import { type Book, openBook } from "../db/open-book.ts";
import { isAuthenticEvent } from "../nostr/authentic-event.ts";
import type { Price, Quantity } from "../protocol/price.ts";
import { buildAuthorization, encodeAuthorization } from "../protocol/purchase-auth.ts";
import { createRefundDesk } from "../refunds/refund-desk.ts";
import { createRefundStore } from "../refunds/refund-store.ts";
import { createClaimDesk } from "../sales/claim-desk.ts";
import type { GrantedSale } from "../sales/granting.ts";
import { createInvoiceStore } from "../sales/lightning/invoice-store.ts";
import type { InvoiceRequest } from "../sales/lightning/lnurl-request.ts";
import type { Offer } from "../sales/offer.ts";
import { createPriceStore } from "../sales/price-store.ts";
import { createPurchase } from "../sales/purchase.ts";
import type { PurchaseAnswer, PurchaseRequest } from "../sales/purchase-request.ts";
import { createReservationStore } from "../sales/reservation-store.ts";
import { createSaleStore } from "../sales/sale-store.ts";
import { createSettlement, defaultTimes, type SettlementTimes } from "../sales/settle.ts";
import { createTunnelAnswer } from "../sales/tunnel-answer.ts";
import { createVacancy } from "../sales/vacancy.ts";
import { createSemaphores } from "../semaphore.ts";
import { createAddressPool } from "../tunnels/address-pool.ts";
import { createClockGuard } from "../tunnels/clock-guard.ts";
import { createKeeper } from "../tunnels/keeper.ts";
import { noLimits } from "../tunnels/limit-keeper.ts";
import { createSessionStore } from "../tunnels/session-store.ts";
import { parseSubnet } from "../tunnels/subnet.ts";
import { createInMemoryEnforcement } from "../wireguard/in-memory.ts";
import { createFakeMint } from "./fake-mint-port.ts";
import { createFakeNode } from "./fake-node-port.ts";
import { openLightningTill } from "./lightning-till.ts";
import { createMortality } from "./mortal.ts";
import { generateWireguardKeys } from "./wireguard-keys.ts";

export const dayPrice: Price = { amount: 100, currency: "sat", unit: "day" };
export const DAY = 86_400;
export const HOLD_SECONDS = 300;

export interface WorldOptions {
  /** 10.9.0.0/28 has 13 addresses, /29 five, /30 one. */
  subnet?: string;
  answerWithinMs?: number;
  places?: number;
  queue?: number;
  times?: Partial<SettlementTimes>;
  prices?: Price[];
  minPurchase?: Quantity;
  maxPurchase?: Quantity;
  /** Writes the database that the operator comes with. */
  former?: (path: string) => void;
}

/** What of the operator's settings a restart may change. */
export interface Settings {
  prices: Price[];
  priceGraceSeconds: number;
  minPurchase: Quantity | undefined;
  maxPurchase: Quantity | undefined;
  dTag: string;
  mintAccepted: boolean;
  cashu: "on" | "cashu-not-configured" | "no-cashu-in-listing";
  closed: string | undefined;
  answerWithinMs: number;
  successAction: "lud10" | "v1";
}

export interface Buyer {
  nostrKey: Uint8Array;
  publicKey: string;
}

export type { CrashPoint } from "./mortal.ts";

export type World = Awaited<ReturnType<typeof createWorld>>;

/**
 * Everything of a sale but HTTP and a real mint, on a real database file. A restart drops every object and builds
 * anew on the same file; mint and interface outlive it, as they do.
 */
export async function createWorld(options: WorldOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sales-"));
  const path = join(folder, "book.db");
  const mint = createFakeMint();
  const server = generateWireguardKeys();
  const node = createFakeNode(() => time.seconds);
  const operator = getPublicKey(generateSecretKey());
  const wireguard = createInMemoryEnforcement(server.publicKey);
  const logLines: string[] = [];
  const granted: GrantedSale[] = [];
  const time = { seconds: 1_800_000_000, skewMs: 0 };
  const settings: Settings = {
    prices: options.prices ?? [dayPrice],
    priceGraceSeconds: 3600,
    minPurchase: options.minPurchase,
    maxPurchase: options.maxPurchase,
    dTag: "vpn",
    mintAccepted: true,
    cashu: "on",
    closed: undefined,
    answerWithinMs: options.answerWithinMs ?? 10_000,
    successAction: "lud10",
  };
  /** The disk takes in what was written as soon as it `answers`; fails with it. */
  const disk = { answers: Promise.resolve() };
  const { mortal, dieAt } = createMortality();
  options.former?.(path);
  let run = await start();

  async function start() {
    const life = { dead: false };
    const book = openBook(path);
    const now = () => time.seconds;
    const nowMs = () => performance.now() + time.skewMs;
    const facts = createFacts(book);
    const guard = createClockGuard(facts, { now }, nowMs, false);
    const pool = createAddressPool(book, parseSubnet(options.subnet ?? "10.9.0.0/24"));
    const sessions = createSessionStore(book, pool, HOLD_SECONDS);
    const reservations = createReservationStore(book, sessions, pool.size);
    const realStore = createSaleStore(
      book,
      createDurability(book, () => disk.answers),
      sessions,
      reservations,
    );
    const sales = mortal(realStore, life);
    const logger = pino({ level: "info" }, { write: (line: string) => void logLines.push(line) });
    const onChange = () => undefined;
    const keeper = createKeeper({
      store: sessions,
      pool,
      enforcement: wireguard,
      limits: noLimits,
      guard,
      wallMs: () => time.seconds * 1000,
      exclusive: false,
      logger,
      onChange,
    });
    sessions.adoptOldRows(now());
    await keeper.tick();
    const findMint = (key: string) =>
      settings.mintAccepted && key === mint.mint.key ? mint.mint : undefined;
    const times = { ...defaultTimes, ...options.times };
    const settlement = createSettlement({
      store: sales,
      keeper,
      link: mint.link,
      findMint,
      now,
      nowMs,
      logger,
      times,
      onChange,
      onGranted: (sale) => void granted.push(sale),
    });
    const coordinate = `30402:${operator}:${settings.dTag}`;
    const serverEnd = {
      pubkey: operator,
      coordinate,
      serverPublicKey: server.publicKey,
      endpoint: "vpn.test:51820",
      dns: ["1.1.1.1"],
      mtu: undefined,
      rateMbit: null,
      inBoth: pool.inBoth,
    };
    const tunnel = createTunnelAnswer(sessions, serverEnd, now);
    const claims = createClaimDesk({
      sales,
      sessions,
      keeper,
      settlement,
      tunnel,
      now,
      nowMs,
    });
    const priceStore = createPriceStore(book);
    priceStore.offered(settings.prices, now());
    const offer: Offer = {
      publicHost: "vpn.test",
      coordinate,
      dTag: settings.dTag,
      protocols: ["wireguard"],
      get tiers() {
        return settings.prices;
      },
      prices: () => priceStore.withOfferedSince(settings.prices, now() - settings.priceGraceSeconds),
      minPurchase: settings.minPurchase,
      maxPurchase: settings.maxPurchase,
      serverPublicKey: server.publicKey,
    };
    const swapPlaces = createSemaphores(options.places ?? 8, options.queue ?? 100);
    const vacancy = createVacancy({
      pool,
      sessions,
      grants: sales,
      reservations,
      keeper,
      closedToStrangers: () => settings.closed,
      now,
    });
    const claimSecret = facts.secret("claim-hash-key");
    const purchase = createPurchase({
      offer,
      decode: mint.reader.decode,
      cashu: settings.cashu === "on" ? { reader: mint.reader, findMint, swapPlaces } : settings.cashu,
      sales,
      vacancy,
      keeper,
      settlement,
      claims,
      claimSecret,
      isAuthentic: isAuthenticEvent,
      now,
      nowMs,
      get answerWithinMs() {
        return settings.answerWithinMs;
      },
    });
    const refunds = createRefundDesk({
      store: mortal(createRefundStore(book), life),
      sales: realStore,
      reader: mint.reader,
      link: mint.link,
      findMint,
      settleMs: times.settleMs,
      now,
      nowMs,
      logger,
    });
    const realInvoices = createInvoiceStore(book, sessions, realStore, reservations);
    const till = await openLightningTill({
      node,
      store: mortal(realInvoices, life),
      offer,
      operatorPubkey: operator,
      server: serverEnd,
      successAction: settings.successAction,
      sessions,
      reservations,
      vacancy,
      keeper,
      settlement,
      tunnel,
      claimSecret,
      now,
      nowMs,
      logger,
      answerWithinMs: settings.answerWithinMs,
    });
    return {
      life,
      book,
      sessions,
      sales: realStore,
      invoices: realInvoices,
      reservations,
      vacancy,
      guard,
      keeper,
      pool,
      settlement,
      purchase,
      refunds,
      ...till,
      claimSecret,
      coordinate,
    };
  }

  function request(buyer: Buyer, token: string | undefined, odd: Partial<PurchaseRequest> = {}) {
    return {
      authorization: authorization(buyer),
      token,
      protocol: "wireguard",
      clientPubkey: buyer.publicKey,
      countStranger: () => undefined,
      ...odd,
    };
  }

  /** `change` sees the tags before they are signed. */
  function authorization(
    buyer: Buyer,
    price: Price = dayPrice,
    change: (tags: string[][]) => string[][] = (tags) => tags,
  ): string {
    const template = buildAuthorization({
      now: time.seconds,
      publicHost: "vpn.test",
      coordinate: run.coordinate,
      price,
    });
    const event = { ...template, tags: change(template.tags) };
    return encodeAuthorization(finalizeEvent(event, buyer.nostrKey));
  }

  /** Both clocks go on by so much. */
  function pass(seconds: number): void {
    time.seconds += seconds;
    time.skewMs += seconds * 1000;
  }

  return {
    mint,
    node,
    wireguard,
    disk,
    settings,
    time,
    logLines,
    /** What the operator may be told of each grant. */
    granted,
    get run() {
      return run;
    },
    pass,
    buyer: (nostrKey = generateSecretKey()): Buyer => ({
      nostrKey,
      publicKey: generateWireguardKeys().publicKey,
    }),
    request,
    authorization,
    buy: (buyer: Buyer, token: string | undefined, odd?: Partial<PurchaseRequest>): Promise<PurchaseAnswer> =>
      run.purchase(request(buyer, token, odd)),
    /** An invoice for one day, as a wallet asks for it with the buyer's key as comment. */
    async invoice(buyer: Buyer, odd: Partial<InvoiceRequest> = {}) {
      const answer = await run.lnurl.invoice({
        tier: undefined,
        amount: "100000",
        comment: buyer.publicKey,
        client: "client",
        countStranger: () => undefined,
        ...odd,
      });
      const paymentHash = answer.verify.split("/").at(-1) ?? "";
      return { answer, paymentHash, preimage: run.invoices.find(paymentHash)?.preimage ?? "" };
    },
    crashAt: dieAt,
    isDead: () => run.life.dead,
    /** Time for every pause to be over, then a sweep, to its end. */
    async sweep(seconds = 60): Promise<void> {
      pass(seconds);
      await run.keeper.tick();
      await run.settlement.sweep();
      await run.settlement.idle();
    },
    /** The process dies without a word and is started again; recovery is the caller's. */
    async restart(): Promise<void> {
      run.life.dead = true;
      run.following.abort();
      dieAt(undefined);
      run.book.close();
      mint.forgetCaller();
      run = await start();
    },
    async close(): Promise<void> {
      run.life.dead = true;
      run.following.abort();
      run.book.close();
      rmSync(folder, { recursive: true, force: true });
    },
    all: <Row>(sql: string, ...values: unknown[]): Row[] => rows<Row>(run.book, sql, values),
    peerKeys: async () => (await wireguard.look()).peers.map((peer) => peer.publicKey),
    /** Public keys of the interface by address. */
    async peerAt(address: string): Promise<string | undefined> {
      const { peers } = await wireguard.look();
      return peers.find((peer) => peer.allowedIps.includes(`${address}/32`))?.publicKey;
    },
  };
}

function rows<Row>(book: Book, sql: string, values: unknown[]): Row[] {
  return book.prepare(sql).all(...values) as Row[];
}

export function addressIn(answer: PurchaseAnswer): string {
  const address = /^Address = (\S+)\/32$/m.exec(answer.config)?.[1];
  if (address === undefined) throw new Error("the .conf has no address");
  return address;
}

/** The reason of the refusal that a purchase ends in; throws when it is served, or fails otherwise. */
export async function reasonOf(purchase: Promise<unknown>): Promise<string> {
  const outcome = await purchase.then(
    () => "served",
    (error: { reason?: unknown }) => (typeof error.reason === "string" ? error.reason : error),
  );
  if (typeof outcome !== "string") throw outcome;
  return outcome;
}

export interface BookedSale {
  sale_id: string;
  state: string;
  face_sat: number;
  fee_sat: number;
  received_sat: number;
  bought_seconds: number;
  session_id: string | null;
  release_reason: string | null;
  flaw: string | null;
}

/** Sums over ecash that must agree in every book; what does not is returned in words. */
export function imbalances(world: World): string[] {
  const found: string[] = [...world.mint.violations];
  const proofs = world.all<{ sale_id: string; sat: number }>(
    "SELECT sale_id, sum(amount_sat) AS sat FROM proofs GROUP BY sale_id",
  );
  const satOf = new Map(proofs.map((row) => [row.sale_id, row.sat]));
  for (const sale of world.all<BookedSale>("SELECT * FROM sales WHERE method = 'cashu'")) {
    const sat = satOf.get(sale.sale_id) ?? 0;
    const isPaid = sale.state === "paid" || sale.state === "owed" || sale.state === "granted";
    const lossSat = sale.face_sat - sale.fee_sat - sat;
    if (sat !== sale.received_sat) found.push(`received ${sale.received_sat}, proofs ${sat}`);
    if (!isPaid && sat > 0) found.push(`${sat} sat taken for a sale that is ${sale.state}`);
    if (isPaid && sale.flaw === null && lossSat !== 0) found.push(`${lossSat} sat missing without a flaw`);
  }
  const takenSat = proofs.reduce((sum, row) => sum + row.sat, 0);
  if (takenSat > world.mint.signedSat()) found.push("more proofs than the mint signed");
  return found;
}
