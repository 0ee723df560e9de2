import { setTimeout as sleep } from "node:timers/promises";
import { finalizeEvent } from "nostr-tools/pure";
import type { Logger } from "pino";
import { createMints } from "./cashu/mints.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config/types.ts";
import { controlPath } from "./control/control-path.ts";
import { openControl } from "./control/server.ts";
import { startBookkeeping } from "./daemon/bookkeeping.ts";
import { chooseCashuDesk } from "./daemon/cashu-desk.ts";
import { createDatabaseProbe } from "./daemon/database-probe.ts";
import { chooseEnforcement, warnOfCollisions } from "./daemon/enforcement.ts";
import { healthReport } from "./daemon/health.ts";
import { createLightning, endLightning } from "./daemon/lightning.ts";
import { inWordsOfListening } from "./daemon/listen-failure.ts";
import { createLnurlDesk } from "./daemon/lnurl-desk.ts";
import { logRefusals } from "./daemon/log-refusals.ts";
import { createMarket } from "./daemon/market.ts";
import { createMintWatch } from "./daemon/mint-watch.ts";
import { warnOfUnknownNames } from "./daemon/own-names.ts";
import { pinIdentity } from "./daemon/pin-identity.ts";
import { recoverSales } from "./daemon/recovery.ts";
import { inWordsOfDisk } from "./daemon/unwritable-at-start.ts";
import { requireWallet } from "./daemon/wallet-at-start.ts";
import { createFacts } from "./db/facts.ts";
import { removeOldCopies } from "./db/former-copy.ts";
import { lockInstance } from "./db/instance-lock.ts";
import { openBook } from "./db/open-book.ts";
import { buildApp } from "./http/app.ts";
import { buildInfoDocument } from "./http/info-document.ts";
import { runJob } from "./jobs.ts";
import { firstPublishedIn } from "./nostr/first-published.ts";
import { readIdentity } from "./nostr/identity.ts";
import { createListingPublisher } from "./nostr/listing-publisher.ts";
import { connectRelays } from "./nostr/relays.ts";
import { retireFormerListing } from "./nostr/retire-listing.ts";
import type { EventTemplate } from "./protocol/event.ts";
import { listingCoordinate } from "./protocol/listing.ts";
import { createClaimDesk } from "./sales/claim-desk.ts";
import type { Offer } from "./sales/offer.ts";
import { createPriceStore } from "./sales/price-store.ts";
import { createPurchase } from "./sales/purchase.ts";
import { createReservationStore } from "./sales/reservation-store.ts";
import { createSaleStore } from "./sales/sale-store.ts";
import { createSettlement, defaultTimes } from "./sales/settle.ts";
import { createTunnelAnswer } from "./sales/tunnel-answer.ts";
import { createVacancy } from "./sales/vacancy.ts";
import { createAddressPool } from "./tunnels/address-pool.ts";
import { createClockGuard } from "./tunnels/clock-guard.ts";
import { createKeeper } from "./tunnels/keeper.ts";
import { createSessionStore } from "./tunnels/session-store.ts";
import { parseSubnet } from "./tunnels/subnet.ts";
import { version } from "./version.ts";
import { createWalletCodec } from "./wallet/codec.ts";
import { createOutbox } from "./wallet/outbox.ts";
import { createWalletStore } from "./wallet/wallet-store.ts";

/** What an operator says at one start, by hand (README, "Flags"). */
export interface StartFlags {
  createWallet: boolean;
  acceptClock: boolean;
  newIdentity: boolean;
}

export interface Daemon {
  /** Stops listening, finishes what is in flight, closes. Tunnels stay up. */
  stop(): Promise<void>;
}

const MINT_REFRESH_MS = 25_000;
const SWEEP_MS = 500;
const EXPIRY_MS = 500;
const OUTBOX_MS = 1_000;
const NODE_MS = 10_000;
const PAYMENTS_MS = 1_000;
/** How often it is asked whether the books are due. */
const BOOKS_MS = 1_000;
/** What a shutdown waits for rounds with a mint; the next start takes up what is left. */
const IDLE_WITHIN_MS = 5_000;
const COPIES_MS = 3_600_000;
const RECOVERY_WITHIN_MS = 15_000;
/** Below the 20 s within which a buyer is answered. */
const ANSWER_WITHIN_MS = 18_000;

/**
 * The whole daemon, in the order in which it comes up: the book, the tunnels that run already, the sales that were
 * under way, the wallet, and only then buyers. Throws `StartRefused` when it must not run.
 */
export async function startDaemon(config: Config, flags: StartFlags, logger: Logger): Promise<Daemon> {
  const closing: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const step of closing.splice(0)) await step();
  };
  const onClose = (step: () => Promise<void> | void) => void closing.unshift(step);
  const job = (name: string, pauseMs: number, step: () => Promise<void> | void) => {
    const { stop } = runJob(name, pauseMs, logger, step);
    onClose(stop);
  };
  const changes = new Set<() => void>();
  const changed = () => {
    for (const tell of changes) tell();
  };
  try {
    await comeUp();
    return { stop: closeAll };
  } catch (error) {
    await closeAll();
    throw inWordsOfDisk(error, config.db.path);
  }

  async function comeUp(): Promise<void> {
    const { now } = systemClock;
    const nowMs = () => performance.now();

    // The book.
    const lock = lockInstance(config.db.path);
    onClose(() => lock.release());
    const book = openBook(config.db.path);
    onClose(() => void book.close());
    const control = await openControl(controlPath(config.db.path), logger);
    onClose(control.close);
    const facts = createFacts(book);
    pinIdentity(facts, config.nostr.pubkey, flags.newIdentity);
    const guard = createClockGuard(facts, systemClock, nowMs, flags.acceptClock);
    const pool = createAddressPool(book, parseSubnet(config.wireguard.subnetCidr));
    const sessions = createSessionStore(book, pool, config.wireguard.addressHoldSeconds);
    const reservations = createReservationStore(book, sessions, pool.size);
    const sales = createSaleStore(book, sessions, reservations);
    const prices = createPriceStore(book);
    const database = createDatabaseProbe({
      path: config.db.path,
      write: guard.remember,
      logger,
      onChange: changed,
    });

    // The tunnels that run already.
    const { enforcement, serverPublicKey } = chooseEnforcement(config.wireguard);
    const { exclusive, tickSeconds } = config.wireguard;
    const keeper = createKeeper({
      store: sessions,
      pool,
      enforcement,
      guard,
      exclusive,
      logger,
      onChange: changed,
    });
    const { unusable, outside } = sessions.adoptOldRows(now());
    if (unusable.length + outside.length > 0) {
      logger.warn(
        { event: "odd-sessions", unusable: unusable.length, outsideSubnet: outside.length },
        "sessions with no usable key or address stay off; those outside the subnet run until they end",
      );
    }
    job("copies", COPIES_MS, () => removeOldCopies(config.db.path, now()));
    await warnOfCollisions(config.wireguard, logger);
    await keeper.tick();
    database.probe();
    job("tick", tickSeconds * 1000, async () => {
      // First: the tick itself fails when it cannot write what it counted.
      database.probe();
      await keeper.tick();
      prices.offered(config.listing.prices, now());
    });
    job("expiry", EXPIRY_MS, keeper.expire);

    // The sales that were under way.
    const mints = createMints({
      mintUrls: config.cashu?.mints.map((mint) => mint.url) ?? [],
      privkeyHex: config.cashu?.privateKeyHex ?? "",
      pubkeyHex: config.cashu?.p2pk ?? "",
      maxFeeSat: config.cashu?.maxFeeSat ?? 0,
      clock: systemClock,
    });
    const times = {
      ...defaultTimes,
      settleMs: (config.cashu?.settleSeconds ?? 60) * 1000,
      addressHoldSeconds: config.cashu?.openHoldSeconds ?? 600,
    };
    const settlement = createSettlement({
      store: sales,
      keeper,
      link: mints.link,
      findMint: mints.find,
      now,
      nowMs,
      logger,
      times,
      onChange: changed,
    });
    onClose(() => Promise.race([settlement.idle(), sleep(IDLE_WITHIN_MS)]));
    const mintWatch = createMintWatch(mints, logger);
    await mintWatch.refresh();
    job("mints", MINT_REFRESH_MS, async () => {
      await mintWatch.refresh();
      changed();
    });
    await recoverSales(sales, settlement, logger, RECOVERY_WITHIN_MS);
    job("sales", SWEEP_MS, settlement.sweep);
    const claimSecret = facts.secret("claim-hash-key");
    const lightning =
      config.lightning &&
      createLightning({
        config: config.lightning,
        book,
        sessions,
        sales,
        reservations,
        settlement,
        claimSecret,
        now,
        nowMs,
        logger,
        onChange: changed,
      });
    // A clock in doubt ends no invoice's time (rule 21); payments are heard of all the same.
    const onceClockIsSure = (step: () => Promise<void> | void) => () =>
      guard.doubt() === undefined ? step() : undefined;
    if (lightning) {
      onClose(() => lightning.stop(IDLE_WITHIN_MS));
      await lightning.refresh();
      await lightning.recover(RECOVERY_WITHIN_MS);
      lightning.follow();
      job("node", NODE_MS, lightning.refresh);
      job("payments", PAYMENTS_MS, onceClockIsSure(lightning.payments.poll));
    } else {
      const lapse = endLightning({ book, sessions, sales, reservations, now });
      job("payments", PAYMENTS_MS, onceClockIsSure(lapse));
    }

    // The wallet.
    const identity = readIdentity(config.nostr.secretKeyHex);
    const { pubkeyHex, secretKey } = identity;
    const relays = await connectRelays({ urls: config.nostr.relays, secretKey, clock: systemClock, logger });
    onClose(() => relays.close());
    const store = createWalletStore(book);
    const codec = createWalletCodec(secretKey);
    const outbox = createOutbox({ relays, codec, store, clock: systemClock, logger });
    onClose(() => outbox.stop());
    if (config.cashu) {
      const mintUrls = mints.all().map((mint) => mint.url);
      const { createWallet } = flags;
      const wallet = { relays, codec, store, pubkeyHex, mintUrls, createWallet, clock: systemClock, logger };
      await requireWallet(wallet);
    }
    changes.add(outbox.poke);
    // What cannot be written down as wrapped or taken would be signed and sent again and again.
    job("outbox", OUTBOX_MS, () => (database.writable() ? outbox.flush() : undefined));

    // The books.
    const bookkeeping = startBookkeeping({
      book,
      facts,
      relays,
      codec,
      walletStore: store,
      outbox,
      mints,
      sessions,
      enforcement,
      keeper,
      control,
      pubkeyHex,
      clock: systemClock,
      nowMs,
      logger,
    });
    onClose(bookkeeping.stop);
    job("books", BOOKS_MS, bookkeeping.tick);

    // Buyers.
    const vacancy = createVacancy({
      pool,
      sessions,
      grants: sales,
      reservations,
      keeper,
      closedToStrangers: () =>
        database.trouble() === undefined ? undefined : "the operator's database cannot take a new sale now",
      now,
    });
    const market = createMarket({
      config,
      mints,
      node: lightning?.watch,
      settlement,
      vacancy,
      keeper,
      database,
    });
    const coordinate = listingCoordinate(pubkeyHex, config.listing.dTag);
    const { mtu, dns, endpoint } = config.wireguard;
    const server = { pubkey: pubkeyHex, coordinate, serverPublicKey, endpoint, dns, mtu };
    const tunnel = createTunnelAnswer(sessions, server);
    const claims = createClaimDesk({ sales, sessions, keeper, settlement, tunnel, now, nowMs });
    const { priceGraceSeconds } = config.listing;
    prices.offered(config.listing.prices, now());
    const offer: Offer = {
      publicHost: config.server.publicHost,
      coordinate,
      dTag: config.listing.dTag,
      protocols: config.listing.protocols,
      tiers: config.listing.prices,
      prices: () => [...config.listing.prices, ...prices.offeredSince(now() - priceGraceSeconds)],
      minPurchase: config.listing.minPurchase,
      maxPurchase: config.listing.maxPurchase,
      serverPublicKey,
    };
    const purchase = createPurchase({
      offer,
      decode: mints.reader.decode,
      cashu: chooseCashuDesk(config, mints),
      sales,
      vacancy,
      keeper,
      settlement,
      claims,
      claimSecret,
      now,
      nowMs,
      answerWithinMs: ANSWER_WITHIN_MS,
    });
    const lnurl =
      lightning &&
      createLnurlDesk({
        lightning,
        config,
        offer,
        server,
        sessions,
        reservations,
        vacancy,
        keeper,
        settlement,
        tunnel,
        claimSecret,
        now,
        answerWithinMs: ANSWER_WITHIN_MS,
      });
    const info = buildInfoDocument({
      version,
      pubkey: pubkeyHex,
      publicHost: config.server.publicHost,
      listing: config.listing,
      methods: config.advertisedMethods,
    });
    const app = buildApp({
      info: () => info,
      health: () =>
        healthReport({
          pubkey: pubkeyHex,
          dTag: config.listing.dTag,
          database: database.trouble(),
          wireguard: keeper.trouble(),
          wallet: config.cashu && outbox.waiting(),
          lightning: lightning && lightning.watch.trouble() === undefined,
          relays: relays.status(),
        }),
      purchase: logRefusals("cashu", purchase, logger),
      lnurl: lnurl && { ...lnurl, invoice: logRefusals("lightning", lnurl.invoice, logger) },
      viewer: lnurl && { endpoint, serverPublicKey },
      trustedProxies: config.server.trustedProxies,
      monotonicMs: nowMs,
      logger,
    });
    onClose(() => app.close());
    const { host, port } = config.server;
    await app.listen({ host, port }).catch((error: unknown) => {
      throw inWordsOfListening(error, host, port);
    });
    logger.info({ event: "listening", host, port }, "buyers are served");
    void warnOfUnknownNames(config, logger);

    // The listing.
    const sign = (template: EventTemplate) => finalizeEvent(template, secretKey);
    const { dTag } = config.listing;
    await retireFormerListing({ relays, pubkeyHex, sign, facts, dTag, now: now() });
    const publisher = createListingPublisher({
      relays,
      pubkeyHex,
      sign,
      currentListing: market.listing,
      firstPublished: firstPublishedIn(facts),
      clock: systemClock,
      logger,
      refreshMs: config.listing.refreshMinutes * 60_000,
    });
    onClose(() => publisher.stop());
    changes.add(publisher.changed);
    publisher.start();
  }
}
