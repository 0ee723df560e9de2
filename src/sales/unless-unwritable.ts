import { unwritableCode } from "../db/unwritable.ts";
import { Refusal } from "../protocol/refusal.ts";

/** A disk that is full or read-only. What was sent before is in the book, or is asked for again. */
export function unlessUnwritable(cause: unknown): never {
  if (unwritableCode(cause) === undefined) throw cause;
  throw new Refusal(
    "tunnel-unavailable",
    "the operator's book cannot be written now; keep the payment and repeat this request",
    { retryAfterSeconds: 30, cause },
  );
}
