import * as z from "zod";

/** Why a call to LND came to nothing. Without addresses; but LND's message may repeat what it was asked. */
export type LndFailure =
  /** LND's own error, by its gRPC code. Nearly all have code 2, so the message has to be read. */
  | { kind: "error"; code: number; message: string }
  /** LND's interface, or another one of gRPC's, does not know the path. */
  | { kind: "no-such-call" }
  | { kind: "not-reached"; systemCode: string | undefined }
  | { kind: "certificate"; flaw: CertificateFlaw }
  /** https was asked of what speaks no TLS. */
  | { kind: "no-tls" }
  /** Plain http was asked of what wants https. */
  | { kind: "wants-tls" }
  /** The macaroon cannot stand in a header. */
  | { kind: "unsendable-macaroon" }
  | { kind: "late"; timeoutMs: number }
  /** A proxy, another program, garbage. */
  | { kind: "not-lnd"; what: string };

export type CertificateFlaw = "untrusted" | "expired" | "other-name";

export type LndAnswer<T> = { kind: "ok"; value: T } | LndFailure;

/** gRPC's cancelled, deadline exceeded and unavailable: LND's REST side lost its own call half-way. */
const OPEN_CODES = new Set([1, 4, 14]);

/** LND itself has answered, and not done what was asked. */
export function isRefusal(failure: LndFailure): failure is LndFailure & { kind: "error" } {
  return failure.kind === "error" && !OPEN_CODES.has(failure.code);
}

export function isUnknownInvoice(failure: LndFailure): boolean {
  return (
    failure.kind === "error" &&
    /unable to locate invoice|there are no existing invoices/.test(failure.message)
  );
}

export function isSettledInvoice(failure: LndFailure): boolean {
  return failure.kind === "error" && /invoice already settled/.test(failure.message);
}

export function isKnownInvoice(failure: LndFailure): boolean {
  return failure.kind === "error" && /invoice with payment hash already exists/.test(failure.message);
}

const errorSchema = z.object({ code: z.number().int(), message: z.string() });
/** On a stream the error is wrapped, with whatever HTTP status. */
const wrappedSchema = z.object({ error: errorSchema });

/** LND's error in a parsed body or line, if it is one. */
export function readError(json: unknown): (LndFailure & { kind: "error" }) | undefined {
  const wrapped = wrappedSchema.safeParse(json);
  const error = wrapped.success ? wrapped.data.error : errorSchema.safeParse(json).data;
  return error && { kind: "error", ...error };
}

/** What an answer with another status than 200 means. */
export function failureOfStatus(status: number, body: string): LndFailure {
  const error = readError(parseJson(body));
  // An unknown invoice is 404 with code 5 as well.
  if (error?.message === "Not Found") return { kind: "no-such-call" };
  if (error) return error;
  // The words in which Go's HTTP server, and so LND, refuses.
  if (status === 400 && body.includes("HTTP request to an HTTPS server")) return { kind: "wants-tls" };
  const redirect = status >= 300 && status < 400;
  return { kind: "not-lnd", what: redirect ? `HTTP ${status}, a redirect` : `HTTP ${status}` };
}

/** Undefined is never JSON's. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const CERTIFICATE_FLAWS: Record<string, CertificateFlaw> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "untrusted",
  CERT_SIGNATURE_FAILURE: "untrusted",
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "other-name",
};

/** What an error of Node's sockets, TLS or HTTP parser means. Its message holds an address and is left behind. */
export function failureOfTransport(error: unknown): LndFailure {
  const code = systemCodeOf(error);
  const flaw = CERTIFICATE_FLAWS[code ?? ""];
  if (flaw) return { kind: "certificate", flaw };
  if (code === "ERR_INVALID_CHAR") return { kind: "unsendable-macaroon" };
  if (code === "EPROTO" || code?.startsWith("ERR_SSL_")) return { kind: "no-tls" };
  if (code?.startsWith("HPE_")) return { kind: "not-lnd", what: "not HTTP" };
  return { kind: "not-reached", systemCode: code };
}

function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[A-Z0-9_]{1,40}$/.test(code) ? code : undefined;
}
