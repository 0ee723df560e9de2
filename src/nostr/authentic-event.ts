import { getEventHash } from "nostr-tools/pure";
import { isXOnlyPoint, verifySchnorr } from "tiny-secp256k1";
import type { NostrEvent } from "../protocol/event.ts";

/**
 * Says of every event what `isAuthentic` of protocol/ says, in a fraction of its time (docs/adr/0009). A key that is
 * no point must not reach `verifySchnorr`: it would throw inside the WASM, see cashu/curve.ts.
 */
export function isAuthenticEvent(event: NostrEvent): boolean {
  if (getEventHash(event) !== event.id) return false;
  const author = Buffer.from(event.pubkey, "hex");
  if (!isXOnlyPoint(author)) return false;
  try {
    return verifySchnorr(Buffer.from(event.id, "hex"), author, Buffer.from(event.sig, "hex"));
  } catch {
    // Halves of a signature that are not below the order, refused before the WASM.
    return false;
  }
}
