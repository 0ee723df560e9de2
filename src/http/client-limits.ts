import type { FastifyInstance, FastifyRequest } from "fastify";
import { Refusal } from "../protocol/refusal.ts";
import { addressHasher, clientNetwork, trustedProxies } from "./client-address.ts";
import { createRateLimiter } from "./rate-limit.ts";

const REQUESTS_PER_MINUTE = 600;
const STRANGERS_PER_MINUTE = 30;
const MAX_CLIENTS = 50_000;

/** Limits on what one client address may ask (rule 31), in memory only. */
export interface ClientLimits {
  /** Tells clients apart by a keyed hash of their address, whose key ends with the process. */
  clientOf(request: FastifyRequest): string;
  /** Throws `Refusal` `rate-limited`. */
  countRequest(request: FastifyRequest): void;
  /** A purchase that is neither a known claim nor a renewal. Throws `Refusal` `rate-limited`. */
  countStranger(request: FastifyRequest): void;
}

export function createClientLimits(proxies: readonly string[], nowMs: () => number): ClientLimits {
  const isTrusted = trustedProxies(proxies);
  const hash = addressHasher();
  const requests = createRateLimiter(REQUESTS_PER_MINUTE, MAX_CLIENTS, nowMs);
  const strangers = createRateLimiter(STRANGERS_PER_MINUTE, MAX_CLIENTS, nowMs);

  function clientOf(request: FastifyRequest): string {
    const forwardedFor = request.headers["x-forwarded-for"];
    const path = Array.isArray(forwardedFor) ? forwardedFor.join(",") : forwardedFor;
    return hash(clientNetwork(request.raw.socket.remoteAddress, path, isTrusted));
  }

  return {
    clientOf,
    countRequest(request) {
      refuseFor(requests.take(clientOf(request)), "Too many requests from your address.");
    },
    countStranger(request) {
      refuseFor(strangers.take(clientOf(request)), "Too many purchases from your address.");
    },
  };
}

function refuseFor(retryAfterSeconds: number, message: string): void {
  if (retryAfterSeconds === 0) return;
  throw new Refusal("rate-limited", `${message} Try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
}

/** Counts every request before anything else is done for it, liveness probes apart. */
export function addRequestLimit(app: FastifyInstance, limits: ClientLimits): void {
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.routeOptions.url !== "/health/live") limits.countRequest(request);
    done();
  });
}
