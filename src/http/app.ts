import type { Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { Refusal } from "../protocol/refusal.ts";
import type { LnurlDesk } from "../sales/lightning/lnurl-request.ts";
import type { PurchaseAnswer, PurchaseRequest } from "../sales/purchase-request.ts";
import { createClientErrorHandler } from "./client-error.ts";
import { addRequestLimit, createClientLimits } from "./client-limits.ts";
import { addConfigViewerRoute, type ViewerServer } from "./config-viewer.ts";
import { addCors, CORS_HEADERS } from "./cors.ts";
import { addErrorMapping, type InternalErrorReport, sendError, toAnswer } from "./errors.ts";
import { addHealthRoutes, type HealthReport } from "./health.ts";
import { addInfoRoute } from "./info.ts";
import type { InfoDocument } from "./info-document.ts";
import { addLnurlpRoutes } from "./lnurlp.ts";
import { addPurchaseRoute } from "./purchase.ts";

export interface HttpDeps {
  info: InfoDocument;
  health(): HealthReport;
  /** Throws `Refusal` for what the buyer is to be told; anything else is answered with 500. */
  purchase(request: PurchaseRequest): Promise<PurchaseAnswer>;
  /** `undefined` where no Lightning is taken. */
  lnurl: LnurlDesk | undefined;
  /** Undefined when Lightning is off. */
  viewer: ViewerServer | undefined;
  /** Addresses and CIDRs whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
  /** Milliseconds of a clock that never goes backwards. */
  monotonicMs(): number;
  logger: { error(report: InternalErrorReport, message: string): void };
}

/** A token of 200 P2PK proofs is some 60 KB; Node's default for all headers is 16 KiB. */
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_BODY_BYTES = 64 * 1024;

/** The HTTP side of the daemon. Never listens: that is the caller's. */
export function buildApp(deps: HttpDeps): FastifyInstance {
  const app: FastifyInstance = Fastify({
    // Fastify's own lines carry addresses and URLs (rule 32); failures are reported by the error mapping.
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: 15_000, connectionsCheckingInterval: 5_000 },
    requestTimeout: 30_000,
    // Longer than /purchase takes (20 s), and than a proxy keeps an idle connection (Caddy: 120 s).
    connectionTimeout: 130_000,
    keepAliveTimeout: 125_000,
    // Its answer would be neither ours nor readable across origins: refuseWhileClosing stands in.
    return503OnClosing: false,
    clientErrorHandler: createClientErrorHandler(),
    frameworkErrors: (error, request, reply) =>
      sendError(request, reply.headers(CORS_HEADERS), toAnswer(error)),
  });
  const limits = createClientLimits(deps.trustedProxies, deps.monotonicMs);
  addErrorMapping(app, (failure) => deps.logger.error(failure, "a request failed"));
  addCors(app, () => {
    addRequestLimit(app, limits);
    refuseWhileClosing(app);
  });
  addInfoRoute(app, deps.info);
  addHealthRoutes(app, deps.health);
  addPurchaseRoute(app, deps.purchase, limits);
  addLnurlpRoutes(app, deps.lnurl, limits);
  addConfigViewerRoute(app, deps.viewer);
  dropUnusedOnClose(app);
  return app;
}

/**
 * Proxies and browsers open connections ahead of need. Node calls one idle only after its first request: without this,
 * such a connection would hold up the close until it times out.
 */
function dropUnusedOnClose(app: FastifyInstance): void {
  const open = new Set<Socket>();
  app.server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  app.addHook("preClose", async () => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  });
}

/** What arrives on open connections during shutdown; what was accepted before is still finished. */
function refuseWhileClosing(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  // A connection kept alive by its client would hold up the close until it times out.
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (isClosing) reply.header("connection", "close");
    done();
  });
  const restarting = new Refusal("tunnel-unavailable", "The server is restarting: repeat this request.", {
    retryAfterSeconds: 5,
  });
  app.addHook("onRequest", (_request, _reply, done) => done(isClosing ? restarting : undefined));
}
