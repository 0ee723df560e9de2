import { buildApp } from "../http/app.ts";
import { buildInfoDocument } from "../http/info-document.ts";
import { isAuthenticEvent } from "../nostr/authentic-event.ts";
import { listingCoordinate } from "../protocol/listing.ts";
import { createClaimDesk } from "../sales/claim-desk.ts";
import type { Offer } from "../sales/offer.ts";
import { createPurchase } from "../sales/purchase.ts";
import { createTunnelAnswer } from "../sales/tunnel-answer.ts";
import type { Vacancy } from "../sales/vacancy.ts";
import { version } from "../version.ts";
import { chooseCashuDesk } from "./cashu-desk.ts";
import type { Context } from "./context.ts";
import { healthReport } from "./health.ts";
import { inWordsOfListening } from "./listen-failure.ts";
import { createLnurlDesk } from "./lnurl-desk.ts";
import { logRefusals } from "./log-refusals.ts";
import type { OpenSales } from "./open-sales.ts";
import { warnOfUnknownNames } from "./own-names.ts";
import type { Records } from "./records.ts";
import type { Tunnels } from "./tunnels.ts";
import type { Wallet } from "./wallet.ts";

/** Below the 20 s within which a buyer is answered. */
const ANSWER_WITHIN_MS = 18_000;

interface BuyersParts {
  records: Records;
  tunnels: Tunnels;
  openSales: OpenSales;
  wallet: Wallet;
  vacancy: Vacancy;
}

/** The HTTP server, and behind it everything that sells. Throws when the port is not to be had. */
export async function serveBuyers(context: Context, parts: BuyersParts): Promise<void> {
  const { config, logger, clock, nowMs, life } = context;
  const { now } = clock;
  const { records, tunnels, openSales, wallet, vacancy } = parts;
  const { sales, sessions, reservations, prices, database, claimSecret } = records;
  const { keeper, serverPublicKey } = tunnels;
  const { mints, settlement, lightning } = openSales;
  const { pubkeyHex, relays, outbox } = wallet;

  const { mtu, dns, endpoint, rateMbit } = config.wireguard;
  const { inBoth } = records.pool;
  const coordinate = listingCoordinate(pubkeyHex, config.listing.dTag);
  const server = { pubkey: pubkeyHex, coordinate, serverPublicKey, endpoint, dns, mtu, rateMbit, inBoth };
  const tunnel = createTunnelAnswer(sessions, server, now);
  const { priceGraceSeconds } = config.listing;
  prices.offered(config.listing.prices, now());
  const offer: Offer = {
    publicHost: config.server.publicHost,
    coordinate,
    dTag: config.listing.dTag,
    protocols: config.listing.protocols,
    tiers: config.listing.prices,
    prices: () => prices.withOfferedSince(config.listing.prices, now() - priceGraceSeconds),
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
    claims: createClaimDesk({
      sales,
      sessions,
      keeper,
      settlement,
      tunnel,
      now,
      nowMs,
      backupAt: records.restored.backupAt,
    }),
    claimSecret,
    isAuthentic: isAuthenticEvent,
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
    rateMbit,
    methods: config.advertisedMethods,
  });
  const app = buildApp({
    info,
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
  life.onClose(() => app.close());
  const { host, port } = config.server;
  await app.listen({ host, port }).catch((error: unknown) => {
    throw inWordsOfListening(error, host, port);
  });
  logger.info({ event: "listening", host, port }, "buyers are served");
  void warnOfUnknownNames(config, logger);
}
