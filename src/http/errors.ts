import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type PurchaseReason, Refusal } from "../protocol/refusal.ts";

/** docs/spec.md, "Reason codes". */
const STATUS: Record<PurchaseReason, number> = {
  "bad-request": 400,
  "unsupported-protocol": 400,
  "no-client-pubkey": 400,
  "unknown-listing": 400,
  "no-listing": 400,
  "no-price": 400,
  "price-mismatch": 400,
  "below-min-purchase": 400,
  "above-max-purchase": 400,
  "version-mismatch": 400,
  "bad-price": 400,
  "no-protocol": 400,
  "no-sat-tier": 400,
  "bad-signature": 401,
  "wrong-kind": 401,
  "wrong-action": 401,
  "no-expiration": 401,
  "expired-auth": 401,
  "wrong-server": 401,
  "invalid-token": 402,
  "wrong-mint": 402,
  "wrong-p2pk": 402,
  "amount-mismatch": 402,
  "double-spent": 402,
  "payment-required": 402,
  "not-found": 404,
  policy: 409,
  "rate-limited": 429,
  "lightning-not-configured": 503,
  "cashu-not-configured": 503,
  "no-cashu-in-listing": 503,
  "no-ip-available": 503,
  "mint-unreachable": 503,
  "tunnel-unavailable": 503,
};

const DEFAULT_RETRY_SECONDS = 30;

/** Reasons that no purchase has: the request did not get that far. */
type HttpReason = PurchaseReason | "method-not-allowed" | "internal";

interface ErrorAnswer {
  status: number;
  reason: HttpReason;
  message: string;
  headers?: Record<string, string>;
}

/** Where the error came from, without anything of the request: no address, query, header, body or key. */
export interface InternalErrorReport {
  event: "request-failed";
  method: string;
  /** The route's pattern, not the path asked for. */
  route: string;
  error: { name: string; code: string | undefined; stack: string[] };
}

/** Turns everything thrown into our JSON; what is not meant for clients goes to `report` and is answered with 500. */
export function addErrorMapping(app: FastifyInstance, report: (failure: InternalErrorReport) => void): void {
  app.setErrorHandler((error, request, reply) => {
    const answer = toAnswer(error);
    if (answer.status === 500) report(describe(error, request));
    return sendError(request, reply, answer);
  });
  app.setNotFoundHandler((request, reply) => sendError(request, reply, notFound(app, request)));
}

export function toAnswer(error: unknown): ErrorAnswer {
  if (error instanceof Refusal) return refusalAnswer(error);
  // Fastify's own messages may quote the request.
  switch (frameworkStatus(error)) {
    case 413:
      return badRequest(413, "The body is too large: at most 64 KiB.");
    case 414:
      return badRequest(414, "The URL is too long.");
    case 415:
      return badRequest(415, "The body must be JSON, with Content-Type: application/json.");
    case 400:
      return badRequest(400, "The request cannot be read: is the URL well-formed, and the body valid JSON?");
    default:
      return {
        status: 500,
        reason: "internal",
        message: "Something went wrong here, not in your request. Repeat it: what is paid stays paid.",
      };
  }
}

function refusalAnswer(refusal: Refusal): ErrorAnswer {
  const { reason, message, inAuthorization, retryAfterSeconds, paymentRequest } = refusal;
  const status = inAuthorization && reason === "bad-request" ? 401 : STATUS[reason];
  const headers: Record<string, string> = {};
  if (status === 429 || status === 503)
    headers["retry-after"] = String(retryAfterSeconds ?? DEFAULT_RETRY_SECONDS);
  if (reason === "payment-required" && paymentRequest !== undefined) headers["x-cashu"] = paymentRequest;
  return { status, reason, message, headers };
}

function badRequest(status: number, message: string): ErrorAnswer {
  return { status, reason: "bad-request", message };
}

/** Only errors that Fastify itself made: another library's `statusCode` says nothing about this request. */
function frameworkStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number")
    return undefined;
  const isFastify = "code" in error && String(error.code).startsWith("FST_ERR_");
  // Malformed JSON comes as a bare SyntaxError that Fastify gave a status.
  return isFastify || error instanceof SyntaxError ? error.statusCode : undefined;
}

function notFound(app: FastifyInstance, request: FastifyRequest): ErrorAnswer {
  const path = request.url.split("?")[0] ?? "";
  const allowed = (["GET", "HEAD", "POST"] as const).filter(
    (method) => app.findRoute({ method, url: path }) !== null,
  );
  if (allowed.length === 0) return { status: 404, reason: "not-found", message: "There is nothing here." };
  const methods = [...allowed, "OPTIONS"].join(", ");
  return {
    status: 405,
    reason: "method-not-allowed",
    message: `This address takes ${methods} only.`,
    headers: { allow: methods },
  };
}

/** Anything below /lnurlp says `"ERROR"`, the spelling that LUD-06 wallets look for. */
export function sendError(request: FastifyRequest, reply: FastifyReply, answer: ErrorAnswer): FastifyReply {
  const isLnurl = /^\/lnurlp(?:[/?]|$)/.test(request.url);
  return reply
    .code(answer.status)
    .headers(answer.headers ?? {})
    .send({ status: isLnurl ? "ERROR" : "error", reason: answer.reason, message: answer.message });
}

/** An error's message may quote what a buyer sent; its name, code and place do not. */
function describe(error: unknown, request: FastifyRequest): InternalErrorReport {
  const { method, routeOptions } = request;
  const route = routeOptions.url ?? "none";
  if (!(error instanceof Error)) {
    return {
      event: "request-failed",
      method,
      route,
      error: { name: typeof error, code: undefined, stack: [] },
    };
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const stack = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    event: "request-failed",
    method,
    route,
    error: { name: error.name, code, stack: stack.map(trim) },
  };
}

function trim(line: string): string {
  return line.trim();
}
