import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";

/**
 * On every answer, also where no hook runs (docs/spec.md, "HTTP"): buyers' clients are pages of other origins. One
 * table, since @fastify/cors reaches neither refused headers nor unreadable URLs, and names methods and headers in
 * preflights only.
 */
export const CORS_HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": "Content-Type, Authorization, X-Cashu",
  "access-control-expose-headers": "X-Cashu, Retry-After",
  "access-control-max-age": "86400",
} as const;

/** Puts the headers on every answer and answers preflights of any path. Hooks set by `afterwards` see no preflight. */
export function addCors(app: FastifyInstance, afterwards: () => void): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(CORS_HEADERS);
    done();
  });
  app.register(cors, {
    origin: CORS_HEADERS["access-control-allow-origin"],
    methods: CORS_HEADERS["access-control-allow-methods"],
    allowedHeaders: CORS_HEADERS["access-control-allow-headers"],
    exposedHeaders: CORS_HEADERS["access-control-expose-headers"],
    maxAge: Number(CORS_HEADERS["access-control-max-age"]),
    // A preflight that lacks a header of a browser's is answered like any other.
    strictPreflight: false,
  });
  app.after(afterwards);
}
